package io.shardpress.operators.compression;

import java.util.Arrays;
import java.util.Optional;

/**
 * n:m of SparseGPT: when the sweep reaches the first of m columns, the smallest {@code (w/U_jj)²}
 * among the current weights of the m are chosen, the first of equal ones. Zeros of an earlier mask
 * are chosen before anything else, all of them. One object per panel.
 */
final class PatternMask implements Mask {
  private static final int ROWS = Panel.ROWS;

  private final Pattern pattern;
  private final float[] pivots;
  private final Optional<ZeroMask> zeros;
  private final float[][] scores;
  private final int[][] ranks;
  private final float[][] masks;

  /**
   * @param pivots {@code [n]} the diagonal of U, in visiting order
   * @param zeros of an earlier mask, if any
   */
  PatternMask(Pattern pattern, float[] pivots, Optional<ZeroMask> zeros) {
    this.pattern = pattern;
    this.pivots = pivots;
    this.zeros = zeros;
    scores = new float[pattern.of()][ROWS];
    ranks = new int[pattern.of()][ROWS];
    masks = new float[pattern.of()][ROWS];
  }

  @Override
  public float[] column(int column, float[][] strip, int index) {
    int place = column % pattern.of();
    if (place == 0) {
      score(column, strip, index);
      rank();
      choose();
    }
    return masks[place];
  }

  private void score(int column, float[][] strip, int index) {
    for (int j = 0; j < scores.length; j++) {
      square(strip[index + j], 1 / pivots[column + j], scores[j]);
      int at = column + j;
      float[] row = scores[j];
      zeros.ifPresent(mask -> mask.forEach(at, r -> row[r] = -1));
    }
  }

  static void square(float[] weights, float inverse, float[] scores) {
    for (int r = 0; r < scores.length; r++) {
      float error = weights[r] * inverse;
      scores[r] = error * error;
    }
  }

  /** How many of the m are smaller, of equal ones those before. */
  private void rank() {
    for (int[] rank : ranks) {
      Arrays.fill(rank, 0);
    }
    for (int j = 0; j < scores.length; j++) {
      for (int k = j + 1; k < scores.length; k++) {
        compare(scores[j], scores[k], ranks[j], ranks[k]);
      }
    }
  }

  private static void compare(float[] first, float[] second, int[] firstRank, int[] secondRank) {
    for (int r = 0; r < first.length; r++) {
      int larger = first[r] > second[r] ? 1 : 0;
      firstRank[r] += larger;
      secondRank[r] += 1 - larger;
    }
  }

  private void choose() {
    int pruned = pattern.of() - pattern.kept();
    for (int j = 0; j < masks.length; j++) {
      choose(ranks[j], scores[j], pruned, masks[j]);
    }
  }

  /** An earlier mask may have left fewer of a group than the pattern does: those stay zero, too. */
  private static void choose(int[] ranks, float[] scores, int pruned, float[] mask) {
    for (int r = 0; r < mask.length; r++) {
      mask[r] = ranks[r] < pruned || scores[r] < 0 ? 0 : 1;
    }
  }
}
