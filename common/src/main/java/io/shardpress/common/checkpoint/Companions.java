package io.shardpress.common.checkpoint;

import io.shardpress.common.error.InputException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The files that are published as they are. Others will read them with parsers of their own, so
 * what is JSON by name must be JSON that every parser reads alike, and nothing may hold weights in
 * disguise. A file that was found good must be the same when it is read again.
 */
final class Companions {
  /** The largest known one, a tokenizer of 260,000 tokens with its merges, has 35 MB. */
  private static final long LARGEST = StrictJson.MAX_BYTES;

  private static final Map<String, String> FOREIGN =
      new TreeMap<>(
          Map.of(
              "8002", "a pickle",
              "8003", "a pickle",
              "8004", "a pickle",
              "8005", "a pickle",
              "504b0304", "a zip archive",
              "894844460d0a1a0a", "an HDF5 file",
              "934e554d5059", "a NumPy array",
              "47475546", "a GGUF file",
              "7f454c46", "a program"));

  private final Store store;
  private final Map<Location, String> checked = new ConcurrentHashMap<>();

  Companions(Store store) {
    this.store = store;
  }

  void check(List<Location> files) {
    files.forEach(this::read);
  }

  /** The bytes of one file, which is refused if it is unfit or was good and other before. */
  byte[] read(Location file) {
    byte[] bytes = store.readAll(file, LARGEST);
    disguise(bytes)
        .ifPresent(
            what -> {
              throw FileKinds.refusal("%s is %s".formatted(file, what));
            });
    if (file.name().endsWith(".json")) {
      StrictJson.check(file.toString(), bytes);
    }
    String hash = sha256(bytes);
    if (!hash.equals(checked.computeIfAbsent(file, absent -> hash))) {
      throw new InputException(
          "%s was changed while the checkpoint was in use. Let nobody write to its folder, and start again."
              .formatted(file));
    }
    return bytes;
  }

  private static Optional<String> disguise(byte[] bytes) {
    String start = HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 8));
    return FOREIGN.entrySet().stream()
        .filter(kind -> start.startsWith(kind.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
