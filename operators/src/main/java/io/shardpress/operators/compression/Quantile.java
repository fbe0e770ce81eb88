package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Workers;
import java.util.List;

/**
 * A quantile of the scores of a block over all rows of all panels, found exactly by counting the
 * bits of the scores from the highest on. Scores are −1 or not negative.
 */
final class Quantile {
  private static final int[] SHIFTS = {20, 10, 0};
  private static final int[] WIDTHS = {11, 10, 10};

  private final List<Panel> panels;
  private final float[][][] scores;
  private final int columns;

  /**
   * @param scores {@code [panel][column][row]}
   * @param columns how many of them the block has
   */
  Quantile(List<Panel> panels, float[][][] scores, int columns) {
    this.panels = panels;
    this.scores = scores;
    this.columns = columns;
  }

  /**
   * @param score the one at some index in ascending order
   * @param ties how many of the scores that equal it lie up to that index
   * @param equal how many equal it
   */
  record Place(float score, long ties, long equal) {
    /** Nothing but negative scores, all of them. */
    static final Place NEGATIVE = new Place(-1, 0, 0);
  }

  /** The score at index {@code ⌊count·share⌋}; a negative one for a share of zero. */
  Place at(double share) {
    if (share == 0) {
      return Place.NEGATIVE;
    }
    long rows = panels.stream().mapToLong(Panel::rows).sum();
    long rank = Math.min(rows * columns - 1, (long) (rows * columns * share));
    int prefix = 0;
    long equal = 0;
    for (int round = 0; round < SHIFTS.length; round++) {
      long[] counts = count(round, prefix);
      if (round == 0) {
        long negative = counts[counts.length - 1];
        if (rank < negative) {
          return Place.NEGATIVE;
        }
        rank -= negative;
      }
      int bucket = 0;
      while (rank >= counts[bucket]) {
        rank -= counts[bucket++];
      }
      prefix = prefix << WIDTHS[round] | bucket;
      equal = counts[bucket];
    }
    return new Place(Float.intBitsToFloat(prefix), rank + 1, equal);
  }

  /** A histogram of the scores that begin with {@code prefix}; the last counts negative ones. */
  private long[] count(int round, int prefix) {
    int shift = SHIFTS[round];
    int width = WIDTHS[round];
    int mask = (1 << width) - 1;
    int[][] found = new int[panels.size()][(1 << width) + 1];
    Workers.forEach(
        found.length,
        index -> {
          int[] counts = found[index];
          int rows = panels.get(index).rows();
          for (int j = 0; j < columns; j++) {
            float[] column = scores[index][j];
            for (int r = 0; r < rows; r++) {
              int bits = Float.floatToRawIntBits(column[r]);
              if (bits < 0) {
                counts[counts.length - 1]++;
              } else if (round == 0 || bits >>> (shift + width) == prefix) {
                counts[(bits >>> shift) & mask]++;
              }
            }
          }
        });
    long[] sums = new long[(1 << width) + 1];
    for (int[] counts : found) {
      for (int key = 0; key < sums.length; key++) {
        sums[key] += counts[key];
      }
    }
    return sums;
  }
}
