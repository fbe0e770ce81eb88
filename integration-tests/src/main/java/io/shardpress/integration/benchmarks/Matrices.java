package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Random operands. */
final class Matrices {
  /** Rows drawn at a time. */
  private static final int ROWS = 64;

  private Matrices() {}

  /** A matrix of normal numbers; the caller closes it. */
  static INDArray normal(Precision precision, int rows, int columns, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    INDArray floats = Floats.uninitialized(rows, columns);
    float[] values = new float[ROWS * columns];
    for (int first = 0; first < rows; first += ROWS) {
      int count = Math.min(ROWS, rows - first);
      for (int i = 0; i < count * columns; i++) {
        values[i] = (float) random.nextGaussian();
      }
      Floats.writeRows(floats, first, count, values);
    }
    return switch (precision) {
      case F32 -> floats;
      case BF16 -> rounded(floats);
    };
  }

  /** The same in BF16; {@code floats} is closed. */
  static INDArray rounded(INDArray floats) {
    try (floats) {
      return BFloats.rounded(floats);
    }
  }
}
