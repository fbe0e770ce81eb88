package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Fits the weights that a pruner kept: minimizes {@code tr((W − D) H (W − D)ᵀ)} with {@code H = G +
 * λI} over all D that are zero where the pruned weight is. The normal equations {@code ((W − D)
 * H)_ij = 0} for kept {@code ij} are one linear system for every row, solved by conjugate gradients
 * (Hestenes and Stiefel, 1952) with the diagonal of H as preconditioner; see Meng et al., "ALPS:
 * Improved Optimization for Highly Sparse One-Shot Pruning for Large Language Models", 2024. Rows
 * have steps of their own and share nothing but the product with G, so that slices of rows have the
 * bits of the whole.
 *
 * <p>A step costs {@code 2·out·n²} operations, and two more such products frame the steps. Rows are
 * worked on {@link #ROWS} at a time by each of the task's workers.
 *
 * @param lambda λ, added to the diagonal of G; 0 or more
 * @param iterations the most steps of a row
 * @param tolerance a row is done when its residual, in the norm of the preconditioner, has fallen
 *     to this share of what it was
 */
record MaskedRefit(double lambda, int iterations, double tolerance) {
  /** Rows that one worker solves together: products of that many rows run at full speed. */
  static final int ROWS = 512;

  MaskedRefit {
    if (!(lambda >= 0 && Double.isFinite(lambda))) {
      throw new IllegalArgumentException("A damping of " + lambda);
    }
    if (iterations < 1 || !(tolerance >= 0 && tolerance < 1)) {
      throw new IllegalArgumentException(
          "%d iterations until the residual is %s of what it was".formatted(iterations, tolerance));
    }
  }

  /**
   * Off-heap bytes of {@link #solve} beside what it borrows, for {@code r} rows and {@code n}
   * columns: the result, {@code 4rn}, and for every thread residual, direction and product of
   * {@link #ROWS} rows, {@code 12·512·n}.
   */
  static long nativeBytes(long rows, long in, int threads) {
    long panels = Math.min(threads, (rows + ROWS - 1) / ROWS);
    return Float.BYTES * in * (rows + 3L * ROWS * panels);
  }

  /** Heap bytes of {@link #solve}: three diagonals, and for every thread eight rows. */
  static long heapBytes(long in, int threads) {
    return Float.BYTES * in * (3 + 8L * threads);
  }

  /**
   * Solves all rows. Zeros of {@code pruned} are +0.0 in the result; weights of inputs that no
   * token excited stay as they are; and so does a row whose undamped loss {@code (W − D) G (W −
   * D)ᵀ} would not fall, after rounding to {@code stored}, by more than the rounding of the
   * products.
   *
   * @param dense F32 or BF16 {@code [out, n]}, finite
   * @param pruned F32 or BF16 {@code [out, n]}, finite; it counts as rounded to {@code stored}
   * @param gram G, F32 {@code [n, n]}, both triangles
   * @param stored the type that the result's values are rounded to: BF16, F16 or F32
   */
  RefittedWeight solve(INDArray dense, INDArray pruned, INDArray gram, DType stored) {
    int out = Floats.rows(dense);
    int in = Floats.columns(dense);
    if (Floats.rows(pruned) != out
        || Floats.columns(pruned) != in
        || Floats.rows(gram) != in
        || Floats.columns(gram) != in) {
      throw new IllegalArgumentException(
          "Dense [%d, %d], pruned [%d, %d] and a Gram of [%d, %d] do not fit"
              .formatted(
                  out,
                  in,
                  Floats.rows(pruned),
                  Floats.columns(pruned),
                  Floats.rows(gram),
                  Floats.columns(gram)));
    }
    float[] diagonal = Gram.diagonalOf(gram);
    RefittedWeight result =
        new RefittedWeight(Floats.uninitialized(out, in), new double[out], new double[out]);
    RefitPanel.Layer layer =
        new RefitPanel.Layer(
            this, dense, pruned, gram, inverses(diagonal), RowGain.roots(diagonal), stored, result);
    try {
      Workers.forEach(
          (out + ROWS - 1) / ROWS,
          index -> {
            int first = index * ROWS;
            try (RefitPanel panel = new RefitPanel(layer, first, Math.min(ROWS, out - first))) {
              panel.solve();
            }
          });
    } catch (RuntimeException | Error e) {
      result.close();
      throw e;
    }
    return result;
  }

  /** {@code 1/H_jj}; 0 for dead inputs, which takes them out of the equations. */
  private float[] inverses(float[] diagonal) {
    float[] inverses = new float[diagonal.length];
    for (int j = 0; j < inverses.length; j++) {
      inverses[j] = diagonal[j] > 0 ? (float) (1 / (diagonal[j] + lambda)) : 0;
    }
    return inverses;
  }
}
