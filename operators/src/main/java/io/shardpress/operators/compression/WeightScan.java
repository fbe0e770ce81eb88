package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import java.nio.ByteBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gate before any method: are all weights finite, and if not, what then. */
final class WeightScan {
  private static final int LOWEST_EXPONENT_BIT = 1 << 23;
  private static final int CHUNK = 1 << 14;

  private WeightScan() {}

  /** Number of NaN and infinite elements. */
  static long nonFinite(INDArray weight) {
    int columns = Floats.columns(weight);
    int rows = Math.max(1, CHUNK / columns);
    boolean pairs = BFloats.isBf16(weight);
    int[] words = new int[pairs ? (rows * columns + 1) / 2 : rows * columns];
    long count = 0;
    for (int first = 0; first < Floats.rows(weight); first += rows) {
      int elements = Math.min(rows, Floats.rows(weight) - first) * columns;
      ByteBuffer bytes = Floats.bytes(weight, first, elements / columns);
      int whole = bytes.remaining() / 4;
      bytes.asIntBuffer().get(words, 0, whole);
      if (pairs && elements % 2 == 1) {
        words[whole++] = bytes.getShort(2 * elements - 2) & 0xffff;
      }
      count += nonFinite(words, whole, 0);
      count += pairs ? nonFinite(words, whole, 16) : 0;
    }
    return count;
  }

  /** Counts exponents of ones: a one in their lowest bit carries into the sign. */
  private static int nonFinite(int[] words, int n, int shift) {
    int count = 0;
    for (int k = 0; k < n; k++) {
      int magnitude = (words[k] << shift) & LaneLoops.MAGNITUDE;
      count += (magnitude + LOWEST_EXPONENT_BIT) >>> 31;
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
