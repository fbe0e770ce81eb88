package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.data.ActivationReader;
import io.shardpress.jobs.data.ActivationShards;
import io.shardpress.jobs.data.ActivationWriter;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Hidden states {@code [tokens, hidden]} between memory and their Arrow files. */
final class Activations {
  private static final int ROWS = 256;

  private Activations() {}

  /** Returns the file's name, length and hash. */
  static PublishedFile write(Store store, Location file, INDArray hidden) {
    int rows = Floats.rows(hidden);
    float[] buffer = new float[ROWS * Floats.columns(hidden)];
    try (ActivationWriter writer =
        ActivationShards.create(store, file, rows, Floats.columns(hidden))) {
      for (int first = 0; first < rows; first += ROWS) {
        int count = Math.min(ROWS, rows - first);
        Floats.readRows(hidden, first, count, buffer);
        writer.append(buffer, count);
      }
      String sha256 = writer.finish();
      return new PublishedFile(file.name(), store.length(file), sha256);
    }
  }

  /** The caller closes the result. */
  static INDArray read(Store store, Location file) {
    try (ActivationReader reader = ActivationShards.open(store, file)) {
      INDArray hidden = Floats.uninitialized(reader.rows(), reader.hidden());
      float[] buffer = new float[ROWS * reader.hidden()];
      int first = 0;
      for (int count = reader.read(buffer); count > 0; count = reader.read(buffer)) {
        Floats.writeRows(hidden, first, count, buffer);
        first += count;
      }
      return hidden;
    }
  }
}
