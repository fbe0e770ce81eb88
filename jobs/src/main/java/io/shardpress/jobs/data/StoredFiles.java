package io.shardpress.jobs.data;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Writing and hashing whole files of a store. */
final class StoredFiles {
  private static final int BUFFER = 1 << 20;

  private StoredFiles() {}

  /**
   * Makes {@code bytes} the content of a file of which every attempt writes the same. A file that
   * is there with other bytes is the remainder of a killed attempt and is written anew.
   */
  static void writeOnce(Store store, Location file, byte[] bytes) {
    if (store.exists(file)
        && store.length(file) == bytes.length
        && Arrays.equals(store.readAll(file, bytes.length), bytes)) {
      return;
    }
    try (OutputStream out = store.replace(file)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new DestinationException(
          "Cannot write %s: %s. Check permissions and free space.".formatted(file, e.getMessage()),
          e);
    }
  }

  /** SHA-256 of a file, read in pieces. */
  static String sha256(Store store, Location file) {
    Sha256 hash = new Sha256();
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    try (StoreChannel channel = new StoreChannel(store, file)) {
      while (channel.read(buffer.clear()) >= 0) {
        hash.add(buffer.flip());
      }
    }
    return hash.hex();
  }
}
