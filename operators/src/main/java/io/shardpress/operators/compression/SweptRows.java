package io.shardpress.operators.compression;

import java.util.List;

/**
 * A solved layer with what each row lost, so that several attempts can be merged row by row: rows
 * are independent.
 *
 * @param errors {@code [out]} the row's {@code Σe²}
 * @param clipped {@code [out]} weights that lay more than one step outside the grid
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SweptRows(QuantizedWeight.Assembly result, double[] errors, int[] clipped) {

  /**
   * @param errors {@code Σe²} by panel and row
   * @param rules one per panel
   */
  static SweptRows of(QuantizedWeight.Assembly result, double[][] errors, List<GridRule> rules) {
    double[] byRow = new double[result.out];
    int[] clipped = new int[result.out];
    for (int row = 0; row < result.out; row++) {
      byRow[row] = errors[row / Panel.ROWS][row % Panel.ROWS];
      clipped[row] = rules.get(row / Panel.ROWS).clipped(row % Panel.ROWS);
    }
    return new SweptRows(result, byRow, clipped);
  }

  /** The better of two attempts in every row; this one's on a tie. Overwrites this one's rows. */
  SweptRows better(SweptRows other) {
    for (int row = 0; row < result.out; row++) {
      if (other.errors[row] < errors[row]) {
        result.copyRow(row, other.result);
        errors[row] = other.errors[row];
        clipped[row] = other.clipped[row];
      }
    }
    return this;
  }

  /** {@code tr(Δ H Δᵀ)} over all rows. */
  double error() {
    double sum = 0;
    for (double error : errors) {
      sum += error;
    }
    return sum;
  }

  long clippedWeights() {
    long sum = 0;
    for (int count : clipped) {
      sum += count;
    }
    return sum;
  }
}
