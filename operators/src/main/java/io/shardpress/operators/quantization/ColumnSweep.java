package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.UpperFactor;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The right-looking sweep of GPTQ and SparseGPT. With {@code H⁻¹ = UᵀU}: {@code q_j = rule(w_j)},
 * {@code e_j = (w_j − q_j)/U_jj}, {@code w_k ← w_k − e_j U_jk} for {@code k > j}; inside a block
 * column by column, behind it in one product per block. Then {@code Σe² = tr(Δ H Δᵀ)} exactly.
 *
 * <p>A block goes through all panels before the next one starts, so that a rule may look at all
 * rows of a block. Inside, columns are contiguous over the rows of a panel: the loops vectorize.
 */
final class ColumnSweep {
  private static final int ROWS = Panel.ROWS;

  private ColumnSweep() {}

  /**
   * Block borders {@code 0 = c_0 < c_1 < … = n}, at most {@code blockSize} apart. Each run of
   * {@code group} columns lies inside one block or starts with one, so that its weights are current
   * when it is reached; 0 for no such runs.
   */
  static int[] blocks(int n, int blockSize, int group) {
    List<Integer> cuts = new ArrayList<>(List.of(0));
    for (int from = 0; from < n; ) {
      int to = Math.min(n, from + blockSize);
      if (group > 0 && to < n && to % group != 0 && to / group * group > from) {
        to = to / group * group;
      }
      cuts.add(to);
      from = to;
    }
    return cuts.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Sweeps all panels; their weights are consumed. Returns {@code Σe²}. */
  static double run(List<Panel> panels, UpperFactor factor, int[] cuts, ColumnRule rule) {
    double sum = 0;
    for (int b = 0; b + 1 < cuts.length; b++) {
      int from = cuts[b];
      int to = cuts[b + 1];
      int width = to - from;
      float[] u = new float[width * width];
      Floats.readBlock(factor.matrix(), from, width, from, width, u);
      float[] columns = new float[width * ROWS];
      float[] errors = new float[width * ROWS];
      float[] rowMajor = new float[width * ROWS];
      try (INDArray errorPanel = Floats.uninitialized(ROWS, width)) {
        for (Panel panel : panels) {
          panel.enter(from, to, columns);
          sum += sweepBlock(panel, from, width, u, columns, errors, rule);
          Panel.transpose(errors, width, ROWS, rowMajor);
          Floats.writeRows(errorPanel, 0, ROWS, rowMajor);
          Products.subtractTimesTrailing(panel.weights(), errorPanel, factor.matrix(), from);
        }
      }
    }
    return sum;
  }

  private static double sweepBlock(
      Panel panel,
      int from,
      int width,
      float[] u,
      float[] columns,
      float[] errors,
      ColumnRule rule) {
    float[] chosen = new float[ROWS];
    double sum = 0;
    for (int j = 0; j < width; j++) {
      int at = j * ROWS;
      rule.choose(panel, from + j, columns, at, chosen);
      divide(columns, chosen, u[j * width + j], errors, at);
      sum += sumOfSquares(errors, at);
      for (int k = j + 1; k < width; k++) {
        subtract(columns, k * ROWS, u[j * width + k], errors, at);
      }
    }
    return sum;
  }

  private static void divide(float[] columns, float[] chosen, float pivot, float[] errors, int at) {
    for (int r = 0; r < ROWS; r++) {
      errors[at + r] = (columns[at + r] - chosen[r]) / pivot;
    }
  }

  private static void subtract(float[] columns, int to, float factor, float[] errors, int from) {
    for (int r = 0; r < ROWS; r++) {
      columns[to + r] -= factor * errors[from + r];
    }
  }

  private static double sumOfSquares(float[] errors, int at) {
    double even = 0;
    double odd = 0;
    for (int r = 0; r < ROWS; r += 2) {
      even += (double) errors[at + r] * errors[at + r];
      odd += (double) errors[at + r + 1] * errors[at + r + 1];
    }
    return even + odd;
  }
}
