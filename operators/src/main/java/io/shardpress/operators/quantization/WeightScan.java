package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gate before any method: are all weights finite, and if not, what then. */
final class WeightScan {
  private WeightScan() {}

  /** Number of NaN and infinite elements. */
  static long nonFinite(INDArray weight) {
    float[] row = new float[Floats.columns(weight)];
    long count = 0;
    for (int i = 0; i < Floats.rows(weight); i++) {
      Floats.readRow(weight, i, row);
      for (float value : row) {
        count += Float.isFinite(value) ? 0 : 1;
      }
    }
    return count;
  }

  /** How a layer with {@code count} non-finite weights ends. */
  static Outcome outcome(NonfinitePolicy policy, String module, long count) {
    String why = "%s holds %d NaN or infinite weights".formatted(module, count);
    return switch (policy) {
      case FAIL ->
          new Outcome.Failed(
              Outcome.Code.NONFINITE_WEIGHT,
              why
                  + ". Repair the checkpoint, ignore the module, or set nonfinite ="
                  + " copy-unchanged.");
      case COPY_UNCHANGED -> new Outcome.Copied(why);
    };
  }
}
