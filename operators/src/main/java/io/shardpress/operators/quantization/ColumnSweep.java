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
 * rows of a block. Inside, a column is an array over the rows of a panel, and columns are updated
 * in strips that stay in the cache: the loops vectorize.
 */
final class ColumnSweep {
  private static final int ROWS = Panel.ROWS;
  private static final int STRIP = 16;

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

  /** Sweeps all panels; their weights are consumed. Returns {@code Σe²} by panel and row. */
  static double[][] run(List<Panel> panels, UpperFactor factor, int[] cuts, ColumnRule rule) {
    double[][] sums = new double[panels.size()][ROWS];
    for (int b = 0; b + 1 < cuts.length; b++) {
      int from = cuts[b];
      int width = cuts[b + 1] - from;
      float[][] u = new float[width][width];
      for (int j = 0; j < width; j++) {
        Floats.readBlock(factor.matrix(), from + j, 1, from, width, u[j]);
      }
      float[][] columns = new float[width][ROWS];
      float[][] errors = new float[width][ROWS];
      float[] rowMajor = new float[width * ROWS];
      try (INDArray errorPanel = Floats.uninitialized(ROWS, width)) {
        for (Panel panel : panels) {
          panel.enter(from, columns);
          sweepBlock(panel, from, u, columns, errors, rule, sums[panel.index()]);
          Panel.toRowMajor(errors, rowMajor);
          Floats.writeRows(errorPanel, 0, ROWS, rowMajor);
          Products.subtractTimesTrailing(panel.weights(), errorPanel, factor.matrix(), from);
        }
      }
    }
    return sums;
  }

  private static void sweepBlock(
      Panel panel,
      int from,
      float[][] u,
      float[][] columns,
      float[][] errors,
      ColumnRule rule,
      double[] sums) {
    int width = u.length;
    float[] chosen = new float[ROWS];
    for (int strip = 0; strip < width; strip += STRIP) {
      int end = Math.min(width, strip + STRIP);
      for (int j = strip; j < end; j++) {
        rule.choose(panel, from + j, columns[j], chosen);
        divide(columns[j], chosen, u[j][j], errors[j]);
        addSquares(errors[j], sums);
        for (int k = j + 1; k < end; k++) {
          subtract(columns[k], u[j][k], errors[j]);
        }
      }
      for (int k = end; k < width; k++) {
        subtractStrip(columns[k], u, k, errors, strip, end);
      }
    }
  }

  /** Four errors at a time: the column is loaded and stored once for all. */
  private static void subtractStrip(
      float[] column, float[][] u, int k, float[][] errors, int from, int to) {
    int j = from;
    for (; j + 3 < to; j += 4) {
      subtractFour(
          column,
          u[j][k],
          u[j + 1][k],
          u[j + 2][k],
          u[j + 3][k],
          errors[j],
          errors[j + 1],
          errors[j + 2],
          errors[j + 3]);
    }
    for (; j < to; j++) {
      subtract(column, u[j][k], errors[j]);
    }
  }

  private static void subtractFour(
      float[] column,
      float u0,
      float u1,
      float u2,
      float u3,
      float[] e0,
      float[] e1,
      float[] e2,
      float[] e3) {
    for (int r = 0; r < column.length; r++) {
      column[r] = column[r] - u0 * e0[r] - u1 * e1[r] - u2 * e2[r] - u3 * e3[r];
    }
  }

  private static void subtract(float[] column, float factor, float[] errors) {
    for (int r = 0; r < column.length; r++) {
      column[r] -= factor * errors[r];
    }
  }

  private static void divide(float[] column, float[] chosen, float pivot, float[] errors) {
    for (int r = 0; r < errors.length; r++) {
      errors[r] = (column[r] - chosen[r]) / pivot;
    }
  }

  private static void addSquares(float[] errors, double[] sums) {
    for (int r = 0; r < errors.length; r++) {
      sums[r] += (double) errors[r] * errors[r];
    }
  }
}
