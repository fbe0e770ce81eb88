package io.shardpress.jobs.cli;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Reports that the user asked for by file name. */
final class Files {
  private Files() {}

  /** Writes {@code text}, in the place of an earlier report. */
  static void write(Store store, Location file, String text) {
    try (OutputStream out = store.replace(file)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
