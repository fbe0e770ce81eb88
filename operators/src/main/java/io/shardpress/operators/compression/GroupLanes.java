package io.shardpress.operators.compression;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Whole groups of a row as F32, in lanes: F32 rows in one, in order; BF16 rows in two, the columns
 * at even and at odd places, because two neighbours are one 32-bit word that a shift and a mask
 * widen. Scratch of one thread.
 */
final class GroupLanes {
  /** Columns worked on together where groups are small: the arrays of a stage stay in the cache. */
  private static final int COLUMNS = 1024;

  private final Grid grid;
  private final int groupColumns;
  private final int capacity;
  private final int shift;
  private final int[] words;
  private final int[][] bits;
  private final float[][] values;
  private final int[] above;
  private final int[] below;
  private final Reinterpretation reinterpretation;
  private int columns;

  /**
   * @param count 1 for rows of F32; 2 for rows of BF16, with no two neighbours from an even place
   *     on in different groups
   * @param groupColumns columns per group
   * @param in columns per row
   */
  GroupLanes(int count, Grid grid, int groupColumns, int in) {
    this.grid = grid;
    this.groupColumns = groupColumns;
    capacity = Math.min(in, Math.max(1, COLUMNS / groupColumns) * groupColumns);
    int slots = (capacity + count - 1) / count;
    shift = count - 1;
    words = new int[count == 2 ? slots : 0];
    bits = new int[count][slots];
    values = new float[count][slots];
    above = new int[slots];
    below = new int[grid.symmetric() ? 0 : slots];
    reinterpretation = new Reinterpretation(slots);
  }

  /** Columns that can be loaded at a time: whole groups. */
  int capacity() {
    return capacity;
  }

  /** How many lanes there are. */
  int count() {
    return values.length;
  }

  /** The loaded columns. */
  int columns() {
    return columns;
  }

  /** The loaded groups. */
  int groups() {
    return columns / groupColumns;
  }

  /** Used elements of each lane; of two lanes, the last ends in a zero after an odd column. */
  int slots() {
    return firstSlot(groups());
  }

  /** The slot of each lane that {@code group} begins with. */
  int firstSlot(int group) {
    return (group * groupColumns + shift) >> shift;
  }

  /** The weights of a lane by slot, until the next call of {@link #load}. */
  float[] values(int lane) {
    return values[lane];
  }

  /**
   * Loads whole groups.
   *
   * @param rows stored elements, little-endian
   * @param from the element to start with
   * @param count how many, at most {@link #capacity}
   */
  void load(ByteBuffer rows, int from, int count) {
    columns = count;
    if (values.length == 1) {
      view(rows, 4 * from, 4 * count).asIntBuffer().get(bits[0], 0, count);
      if (grid.symmetric()) {
        LaneLoops.magnitudes(bits[0], count, above);
      } else {
        LaneLoops.sides(bits[0], count, above, below);
      }
    } else {
      view(rows, 2 * from, 2 * count).asIntBuffer().get(words, 0, count / 2);
      if (count % 2 == 1) {
        words[count / 2] = rows.getShort(2 * (from + count - 1)) & 0xffff;
      }
      if (grid.symmetric()) {
        LaneLoops.split(words, slots(), bits[0], bits[1], above);
      } else {
        LaneLoops.splitSides(words, slots(), bits[0], bits[1], above, below);
      }
    }
    for (int lane = 0; lane < values.length; lane++) {
      reinterpretation.toFloats(bits[lane], slots(), values[lane]);
    }
  }

  private static ByteBuffer view(ByteBuffer rows, int from, int count) {
    return rows.slice(from, count).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The largest weight of a group, or 0; its largest magnitude where the grid is symmetric. */
  float max(int group) {
    return largest(above, group);
  }

  /** The smallest weight of a group, or 0; minus {@code max} where the grid is symmetric. */
  float min(int group, float max) {
    return grid.symmetric() ? -max : -largest(below, group);
  }

  private float largest(int[] magnitudes, int group) {
    // NaN has the largest bits of all: it is found, too
    return Float.intBitsToFloat(
        LaneLoops.largest(magnitudes, firstSlot(group), firstSlot(group + 1)));
  }

  /** Copies a group in the order of its columns. */
  void read(int group, float[] into) {
    int from = firstSlot(group);
    if (values.length == 1) {
      System.arraycopy(values[0], from, into, 0, groupColumns);
      return;
    }
    for (int j = 0; j < groupColumns; j++) {
      into[j] = values[j % 2][from + j / 2];
    }
  }
}
