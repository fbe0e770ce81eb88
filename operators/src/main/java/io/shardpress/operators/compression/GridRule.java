package io.shardpress.operators.compression;

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
  private final float[][] scales;
  private final float[][] zeros;
  private final int[] clipped = new int[ROWS];
  private final float[] codes = new float[ROWS];

  /** {@code [n][ROWS]} in visiting order: written column by column, turned into rows at the end. */
  private final byte[][] chosenCodes;

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
    scales = new float[result.groups][ROWS];
    zeros = new float[result.groups][ROWS];
    chosenCodes = new byte[result.in][ROWS];
    for (float[] rows : scales) {
      Arrays.fill(rows, 1); // for the rows that only fill up the last panel
    }
  }

  /** The panel's scales are in {@code result} already. */
  static GridRule withScales(
      Panel panel,
      QuantizedWeight.Assembly result,
      ColumnLayout layout,
      Rounding rounding,
      GroupRange range) {
    GridRule rule = new GridRule(result, layout, rounding, range, false);
    for (int row = 0; row < panel.rows(); row++) {
      int at = (panel.firstRow() + row) * result.groups;
      for (int g = 0; g < result.groups; g++) {
        rule.scales[g][row] = result.scales[at + g];
        rule.zeros[g][row] = result.zeroPoints.length == 0 ? 0 : result.zeroPoints[at + g];
      }
    }
    return rule;
  }

  /** Scales come from the weights as the sweep finds them. */
  static GridRule findingScales(
      QuantizedWeight.Assembly result, ColumnLayout layout, Rounding rounding, GroupRange range) {
    return new GridRule(result, layout, rounding, range, true);
  }

  /** Weights of a panel's row that lay more than one step outside the grid at their turn. */
  int clipped(int row) {
    return clipped[row];
  }

  @Override
  public void choose(Panel panel, int column, float[][] strip, int index, float[] chosen) {
    choose(panel, column, strip[index], chosen);
  }

  /** Rounds {@code values}, which may differ from the panel's: a mask may have made them zero. */
  void choose(Panel panel, int column, float[] values, float[] chosen) {
    int g = layout.groupOfVisited(column);
    if (rangesFromSweep && column % result.scheme.groupSize().in(result.in) == 0) {
      findRanges(panel, column, g);
    }
    rounding.column(values, scales[g], zeros[g], codes, chosen, clipped);
    byte[] bytes = chosenCodes[column];
    for (int r = 0; r < ROWS; r++) {
      bytes[r] = (byte) codes[r];
    }
  }

  private void findRanges(Panel panel, int column, int g) {
    int width = result.scheme.groupSize().in(result.in);
    float[][] columns = new float[width][ROWS];
    panel.read(column, width, columns);
    float[] row = new float[width];
    for (int r = 0; r < panel.rows(); r++) {
      for (int j = 0; j < width; j++) {
        row[j] = columns[j][r];
      }
      range.find(row, width);
      result.put(panel.firstRow() + r, g, range);
      scales[g][r] = range.scale();
      zeros[g][r] = range.zeroPoint();
    }
  }

  /** Puts the codes where the file has them, some rows at a time so that both sides stay cached. */
  void finish(Panel panel) {
    for (int first = 0; first < panel.rows(); first += 16) {
      int end = Math.min(panel.rows(), first + 16);
      for (int place = 0; place < result.in; place++) {
        int at = (panel.firstRow() + first) * result.in + layout.storedColumn(place);
        byte[] bytes = chosenCodes[place];
        for (int r = first; r < end; r++, at += result.in) {
          result.codes[at] = bytes[r];
        }
      }
    }
  }
}
