package io.shardpress.operators.compression;

import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntConsumer;

/** Keeps every weight but those that are exactly zero when the sweep begins. */
final class ZeroMask implements Mask {
  private static final int ROWS = Panel.ROWS;
  private static final int STRIP = 32;

  /** {@code column · ROWS + row} of the zeros. */
  private final BitSet zeros;

  private final float[] mask = new float[ROWS];

  private ZeroMask(int columns) {
    zeros = new BitSet(Math.multiplyExact(columns, ROWS));
  }

  /** Heap bytes of the masks of so many panels. */
  static long heapBytes(long panels, long in) {
    return panels * ROWS * in / Byte.SIZE;
  }

  /** Looks for the zeros of a panel that was not swept yet; of its padding rows none. */
  static ZeroMask of(Panel panel) {
    int n = panel.width();
    ZeroMask found = new ZeroMask(n);
    float[][] columns = new float[STRIP][ROWS];
    for (int from = 0; from < n; from += STRIP) {
      int count = Math.min(STRIP, n - from);
      panel.read(from, count, columns);
      for (int j = 0; j < count; j++) {
        for (int r = 0; r < panel.rows(); r++) {
          if (columns[j][r] == 0) {
            found.zeros.set((from + j) * ROWS + r);
          }
        }
      }
    }
    return found;
  }

  boolean isEmpty() {
    return zeros.isEmpty();
  }

  /** Hands out the rows of a column's zeros. */
  void forEach(int column, IntConsumer row) {
    int end = (column + 1) * ROWS;
    for (int bit = zeros.nextSetBit(column * ROWS);
        bit >= 0 && bit < end;
        bit = zeros.nextSetBit(bit + 1)) {
      row.accept(bit - column * ROWS);
    }
  }

  @Override
  public float[] column(int column, float[][] strip, int index) {
    Arrays.fill(mask, 1);
    forEach(column, row -> mask[row] = 0);
    return mask;
  }
}
