package io.shardpress.operators.compression;

import java.util.Arrays;
import java.util.Optional;

/** The codes of a panel's rows, column by column, with the scales and zero points of its groups. */
final class CodeColumns {
  private static final int ROWS = Panel.ROWS;

  /** Rows copied together, so that both sides stay cached. */
  private static final int RUN = 16;

  private final float lowest;
  private final float highest;
  private final int[] groupOfColumn;
  private final float[][] scales;
  private final float[][] zeros;
  private final byte[][] codes;

  /** Ones where a code may change; empty where all may. */
  private final Optional<byte[][]> free;

  private final float[] old = new float[ROWS];
  private final float[] steps = new float[ROWS];

  private CodeColumns(QuantizedWeight weight, Zeros policy) {
    lowest = weight.scheme().grid().lowest();
    highest = weight.scheme().grid().highest();
    groupOfColumn = weight.groupOfColumn();
    scales = new float[weight.groups()][ROWS];
    zeros = new float[weight.groups()][ROWS];
    codes = new byte[weight.in()][ROWS];
    free = policy == Zeros.KEEP ? Optional.of(new byte[weight.in()][ROWS]) : Optional.empty();
    for (float[] rows : scales) {
      Arrays.fill(rows, 1); // for the rows that only fill up the last panel
    }
  }

  static CodeColumns of(QuantizedWeight weight, Panel panel, Zeros policy) {
    CodeColumns columns = new CodeColumns(weight, policy);
    int groups = weight.groups();
    boolean symmetric = weight.scheme().grid().symmetric();
    for (int row = 0; row < panel.rows(); row++) {
      int at = (panel.firstRow() + row) * groups;
      for (int g = 0; g < groups; g++) {
        columns.scales[g][row] = weight.scales()[at + g];
        columns.zeros[g][row] = symmetric ? 0 : weight.zeroPoints()[at + g];
      }
    }
    columns.read(weight, panel);
    columns.free.ifPresent(columns::markFree);
    return columns;
  }

  private void read(QuantizedWeight weight, Panel panel) {
    for (int first = 0; first < panel.rows(); first += RUN) {
      int end = Math.min(panel.rows(), first + RUN);
      for (int j = 0; j < weight.in(); j++) {
        int at = (panel.firstRow() + first) * weight.in() + j;
        byte[] column = codes[j];
        for (int row = first; row < end; row++, at += weight.in()) {
          column[row] = weight.codes()[at];
        }
      }
    }
  }

  private void markFree(byte[][] marks) {
    for (int j = 0; j < codes.length; j++) {
      float[] zero = zeros[groupOfColumn[j]];
      for (int row = 0; row < ROWS; row++) {
        marks[j][row] = (byte) (codes[j][row] == zero[row] ? 0 : 1);
      }
    }
  }

  /**
   * Moves the codes of a column to the nearest of {@code q + slope/pivot} on the grid. Half a step
   * is rounded to even, that is, to none.
   *
   * @param change receives by how much the values of the weights grow
   */
  void choose(int column, float[] slope, float pivot, float[] change) {
    float[] scale = scales[groupOfColumn[column]];
    byte[] stored = codes[column];
    for (int r = 0; r < ROWS; r++) {
      old[r] = stored[r];
    }
    nearest(slope, pivot, scale);
    if (free.isPresent()) {
      byte[] marks = free.get()[column];
      for (int r = 0; r < ROWS; r++) {
        steps[r] *= marks[r];
      }
    }
    for (int r = 0; r < ROWS; r++) {
      change[r] = steps[r] * scale[r];
    }
    for (int r = 0; r < ROWS; r++) {
      stored[r] = (byte) (old[r] + steps[r]);
    }
  }

  private void nearest(float[] slope, float pivot, float[] scale) {
    float low = lowest;
    float high = highest;
    for (int r = 0; r < ROWS; r++) {
      float wanted = slope[r] / pivot / scale[r];
      float reachable = Math.min(Math.max(wanted, low - old[r]), high - old[r]);
      steps[r] = (reachable + Rounding.MAGIC) - Rounding.MAGIC;
    }
  }

  /** Puts the codes of the chosen rows where the file has them. */
  void write(Panel panel, boolean[] chosen, byte[] into) {
    int in = codes.length;
    for (int first = 0; first < panel.rows(); first += RUN) {
      int end = Math.min(panel.rows(), first + RUN);
      for (int j = 0; j < in; j++) {
        int at = (panel.firstRow() + first) * in + j;
        byte[] column = codes[j];
        for (int row = first; row < end; row++, at += in) {
          if (chosen[row]) {
            into[at] = column[row];
          }
        }
      }
    }
  }
}
