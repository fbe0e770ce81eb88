package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.linalg.Workers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The sweep of GPTQ and SparseGPT. With {@code H⁻¹ = UᵀU}: {@code q_j = rule(w_j)}, {@code e_j =
 * (w_j − q_j)/U_jj}, {@code w_k ← w_k − e_j U_jk} for {@code k > j}. Then {@code Σe² = tr(Δ H Δᵀ)}
 * exactly.
 *
 * <p>The corrections of later columns wait until they can be made by large products: a range of
 * blocks is swept by sweeping its first half, correcting its second half in one product, and
 * sweeping that. Inside a block it is strips of columns, and inside a strip column by column, where
 * a column is an array over the rows of a panel and the loops vectorize.
 *
 * <p>All panels go through a block before any goes on, so that a rule may look at all rows of a
 * block. Panels are spread over the task's workers.
 */
final class ColumnSweep {
  private static final int ROWS = Panel.ROWS;
  private static final int STRIP = 32;

  private final List<Panel> panels;
  private final List<? extends ColumnRule> rules;
  private final BlockRule blockRule;
  private final INDArray upper;
  private final int[] cuts;
  private final int group;
  private final double[][] sums;

  static void checkBlockSize(int columns) {
    if (columns < 1 || columns > 1024) {
      throw new InputException("block-size = %d: give 1 to 1024 columns.".formatted(columns));
    }
  }

  private ColumnSweep(
      List<Panel> panels,
      List<? extends ColumnRule> rules,
      BlockRule blockRule,
      UpperFactor factor,
      int[] cuts,
      int group) {
    this.panels = panels;
    this.rules = rules;
    this.blockRule = blockRule;
    this.upper = factor.matrix();
    this.cuts = cuts;
    this.group = group;
    this.sums = new double[panels.size()][ROWS];
  }

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

  /**
   * Sweeps all panels, whose weights are consumed, each with the rule of its index.
   *
   * @param group columns that are current when the first of them is chosen, as in {@link #blocks}
   * @return {@code Σe²} by panel and row
   */
  static double[][] run(
      List<Panel> panels,
      List<? extends ColumnRule> rules,
      UpperFactor factor,
      int[] cuts,
      int group) {
    return run(panels, rules, BlockRule.NONE, factor, cuts, group);
  }

  /** The same, with a rule that looks at every block before its first column is chosen. */
  static double[][] run(
      List<Panel> panels,
      List<? extends ColumnRule> rules,
      BlockRule blockRule,
      UpperFactor factor,
      int[] cuts,
      int group) {
    ColumnSweep sweep = new ColumnSweep(panels, rules, blockRule, factor, cuts, group);
    sweep.range(0, cuts.length - 1);
    return sweep.sums;
  }

  /** Blocks {@code [first, end)}. */
  private void range(int first, int end) {
    if (end - first == 1) {
      int from = cuts[first];
      float[][] u = new float[cuts[end] - from][cuts[end] - from];
      for (int j = 0; j < u.length; j++) {
        Floats.readBlock(upper, from + j, 1, from, u.length, u[j]);
      }
      blockRule.begin(panels, from, u);
      Workers.forEach(panels.size(), index -> block(panels.get(index), from, u));
      return;
    }
    int middle = (first + end) / 2;
    range(first, middle);
    Workers.forEach(
        panels.size(), index -> correct(panels.get(index), cuts[first], cuts[middle], cuts[end]));
    range(middle, end);
  }

  /** Corrects columns {@code [middle, end)} by the errors of {@code [from, middle)}. */
  private void correct(Panel panel, int from, int middle, int end) {
    Products.subtractTransposedTimes(
        Block.rows(panel.columns(), middle, end - middle),
        new Block(upper, from, middle - from, middle, end - middle),
        Block.rows(panel.columns(), from, middle - from));
  }

  private void block(Panel panel, int from, float[][] u) {
    float[][] columns = new float[STRIP][ROWS];
    float[] squares = new float[ROWS];
    int end = from + u.length;
    for (int strip = from; strip < end; ) {
      int next = Math.min(end, strip + STRIP);
      if (group > 0) {
        next = Math.min(next, (strip / group + 1) * group);
      }
      panel.read(strip, next - strip, columns);
      Arrays.fill(squares, 0);
      strip(panel, strip, next - strip, strip - from, u, columns, squares);
      addTo(sums[panel.index()], squares);
      panel.write(strip, next - strip, columns);
      if (next < end) {
        correct(panel, strip, next, end);
      }
      strip = next;
    }
  }

  /** Leaves the errors of the columns in their place. */
  private void strip(
      Panel panel,
      int first,
      int count,
      int inBlock,
      float[][] u,
      float[][] columns,
      float[] squares) {
    ColumnRule rule = rules.get(panel.index());
    float[] chosen = new float[ROWS];
    for (int j = 0; j < count; j++) {
      float[] row = u[inBlock + j];
      rule.choose(panel, first + j, columns, j, chosen);
      replaceByErrors(columns[j], chosen, row[inBlock + j]);
      addSquares(columns[j], squares);
      for (int k = j + 1; k < count; k++) {
        subtract(columns[k], row[inBlock + k], columns[j]);
      }
    }
  }

  private static void subtract(float[] column, float factor, float[] errors) {
    for (int r = 0; r < column.length; r++) {
      column[r] -= factor * errors[r];
    }
  }

  private static void replaceByErrors(float[] column, float[] chosen, float pivot) {
    for (int r = 0; r < column.length; r++) {
      column[r] = (column[r] - chosen[r]) / pivot;
    }
  }

  private static void addSquares(float[] errors, float[] sums) {
    for (int r = 0; r < errors.length; r++) {
      sums[r] += errors[r] * errors[r];
    }
  }

  /** F32 inside a strip, F64 over the strips. */
  private static void addTo(double[] sums, float[] squares) {
    for (int r = 0; r < squares.length; r++) {
      sums[r] += squares[r];
    }
  }
}
