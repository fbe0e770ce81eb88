package io.shardpress.jobs.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Small JSON documents that carry the SHA-256 of their own content as their last key, {@code seal}:
 * marks of finished work. A document whose writer was killed has no seal and counts as absent; one
 * with a seal that does not fit was changed afterwards, which is an error.
 */
public final class SealedJson {
  private static final String SEAL = "seal";
  private static final long LIMIT = 64 << 20;

  private SealedJson() {}

  /**
   * Writes {@code content} to a file that does not exist yet; fails if the location is occupied.
   * Exactly this content is taken for this writer's: connectors try again when an answer is lost,
   * and are then told that the file exists.
   */
  public static void create(Store store, Location file, ObjectNode content) {
    byte[] bytes = seal(content);
    try (OutputStream out = store.create(file)) {
      out.write(bytes);
    } catch (OccupiedException e) {
      if (!Arrays.equals(store.readAll(file, LIMIT), bytes)) {
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The bytes of a sealed document, for those who write it in a way of their own. */
  public static byte[] seal(ObjectNode content) {
    ObjectNode sealed = content.deepCopy();
    sealed.put(SEAL, Sha256.of(text(content)));
    return (text(sealed) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The content of a sealed document; empty when there is none, or none that was finished.
   *
   * @throws InputException when the content is not what was sealed
   */
  public static Optional<ObjectNode> read(Store store, Location file) {
    return store.exists(file) ? open(file, store.readAll(file, LIMIT)) : Optional.empty();
  }

  static Optional<ObjectNode> open(Location file, byte[] bytes) {
    if (bytes.length == 0 || bytes[bytes.length - 1] != '\n') {
      return Optional.empty(); // the line break is written last
    }
    ObjectNode document = StrictJson.parseObject(file.toString(), bytes);
    ObjectNode content = document.deepCopy();
    String found = content.path(SEAL).asText();
    content.remove(SEAL);
    if (!Sha256.of(text(content)).equals(found)) {
      throw new InputException(
          "%s was changed after it was written: its content is not what its seal says. Nothing that it vouches for can be trusted; delete what it belongs to and make it anew."
              .formatted(file));
    }
    return Optional.of(content);
  }

  private static String text(ObjectNode content) {
    return content.toString();
  }
}
