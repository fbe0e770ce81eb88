package io.shardpress.operators.quantization;

import java.util.Arrays;

/**
 * Rounds a column to the grid of its groups and keeps the codes. Groups whose scale is not known
 * beforehand get it when the sweep reaches their first column.
 */
final class GridRule implements ColumnRule {
  private static final int ROWS = Panel.ROWS;

  private final QuantizedWeight.Assembly result;
  private final ColumnLayout layout;
  private final Rounding rounding;
  private final GroupRange range;
  private final boolean rangesFromSweep;
  private final float[][][] scales;
  private final float[][][] zeros;
  private final int[][] clipped;
  private final float[] codes = new float[ROWS];
  private final float[] group;

  private GridRule(
      QuantizedWeight.Assembly result,
      ColumnLayout layout,
      Rounding rounding,
      GroupRange range,
      boolean rangesFromSweep) {
    this.result = result;
    this.layout = layout;
    this.rounding = rounding;
    this.range = range;
    this.rangesFromSweep = rangesFromSweep;
    this.group = new float[result.scheme.groupSize().in(result.in)];
    int panels = (result.out + ROWS - 1) / ROWS;
    scales = new float[panels][result.groups][ROWS];
    zeros = new float[panels][result.groups][ROWS];
    clipped = new int[panels][ROWS];
    for (float[] rows : scales[panels - 1]) {
      Arrays.fill(rows, 1); // the rows that only fill up the last panel
    }
  }

  /** Scales are in {@code result} already. */
  static GridRule withScales(
      QuantizedWeight.Assembly result, ColumnLayout layout, Rounding rounding, GroupRange range) {
    GridRule rule = new GridRule(result, layout, rounding, range, false);
    for (int row = 0; row < result.out; row++) {
      for (int g = 0; g < result.groups; g++) {
        int at = row * result.groups + g;
        rule.scales[row / ROWS][g][row % ROWS] = result.scales[at];
        rule.zeros[row / ROWS][g][row % ROWS] =
            result.zeroPoints.length == 0 ? 0 : result.zeroPoints[at];
      }
    }
    return rule;
  }

  /** Scales come from the weights as the sweep finds them. */
  static GridRule findingScales(
      QuantizedWeight.Assembly result, ColumnLayout layout, Rounding rounding, GroupRange range) {
    return new GridRule(result, layout, rounding, range, true);
  }

  /** Weights of a row that lay more than one step outside the grid when their turn came. */
  int clipped(int row) {
    return clipped[row / ROWS][row % ROWS];
  }

  @Override
  public void choose(Panel panel, int column, float[] values, float[] chosen) {
    int g = layout.groupOfVisited(column);
    float[] scale = scales[panel.index()][g];
    float[] zero = zeros[panel.index()][g];
    if (rangesFromSweep && column % group.length == 0) {
      for (int r = 0; r < panel.rows(); r++) {
        panel.read(r, column, group.length, group);
        range.find(group, group.length);
        result.put(panel.firstRow() + r, g, range);
        scale[r] = range.scale();
        zero[r] = range.zeroPoint();
      }
    }
    rounding.column(values, scale, zero, codes, chosen, clipped[panel.index()]);
    int stored = panel.firstRow() * result.in + layout.storedColumn(column);
    for (int r = 0; r < panel.rows(); r++) {
      result.codes[stored + r * result.in] = (byte) codes[r];
    }
  }
}
