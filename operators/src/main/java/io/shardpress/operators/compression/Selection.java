package io.shardpress.operators.compression;

import java.util.Arrays;

/** Decides by scores which weights of a row become zero. Scratch of one thread. */
interface Selection {

  /**
   * @param row the row's number in the layer, or in the slice that is solved
   * @param scores {@code [in]} not negative; the smallest become zero
   * @param mask receives 0 for these, and 1 for the others
   */
  void select(int row, float[] scores, float[] mask);

  /** The selection of a method that compares weights of one row alone. */
  static Selection inRows(Sparsity sparsity, int in) {
    return sparsity instanceof Pattern pattern
        ? inGroups(pattern, in)
        : share(sparsity.share(), in);
  }

  /**
   * A share of every row. Where that is no whole number, rows take turns, so that the share of all
   * of them is met.
   */
  private static Selection share(double share, int in) {
    Smallest smallest = new Smallest();
    double each = share * in;
    return (row, scores, mask) -> {
      int count = (int) (Math.floor((row + 1) * each) - Math.floor(row * each));
      smallest.mask(scores, in, count, mask);
    };
  }

  private static Selection inGroups(Pattern pattern, int in) {
    int[] ranks = new int[pattern.of()];
    int pruned = pattern.of() - pattern.kept();
    return pattern.of() == 4
        ? (row, scores, mask) -> inFours(scores, in, pruned, mask)
        : (row, scores, mask) -> {
          for (int from = 0; from < in; from += ranks.length) {
            smallestOf(scores, from, ranks, pruned, mask);
          }
        };
  }

  /** A rank by counting: groups are small, and this has no branches to miss. */
  private static void smallestOf(float[] scores, int from, int[] ranks, int pruned, float[] mask) {
    Arrays.fill(ranks, 0);
    for (int j = 0; j < ranks.length; j++) {
      float score = scores[from + j];
      for (int k = j + 1; k < ranks.length; k++) {
        int larger = larger(bits(score), bits(scores[from + k]));
        ranks[j] += larger;
        ranks[k] += 1 - larger;
      }
    }
    for (int j = 0; j < ranks.length; j++) {
      mask[from + j] = 1 - larger(pruned, ranks[j]);
    }
  }

  /** Numbers that are not negative have the order of their bits. */
  private static int bits(float score) {
    return Float.floatToRawIntBits(score);
  }

  /** 1 where a is larger than b, else 0; of numbers that are not negative. */
  private static int larger(int a, int b) {
    return (b - a) >>> 31;
  }

  /** The same for the usual width, in registers. */
  private static void inFours(float[] scores, int in, int pruned, float[] mask) {
    for (int from = 0; from < in; from += 4) {
      int a = bits(scores[from]);
      int b = bits(scores[from + 1]);
      int c = bits(scores[from + 2]);
      int d = bits(scores[from + 3]);
      int ab = larger(a, b);
      int ac = larger(a, c);
      int ad = larger(a, d);
      int bc = larger(b, c);
      int bd = larger(b, d);
      int cd = larger(c, d);
      mask[from] = 1 - larger(pruned, ab + ac + ad);
      mask[from + 1] = 1 - larger(pruned, 1 - ab + bc + bd);
      mask[from + 2] = 1 - larger(pruned, 2 - ac - bc + cd);
      mask[from + 3] = 1 - larger(pruned, 3 - ad - bd - cd);
    }
  }

  /**
   * Everything below a threshold, and some of what equals it.
   *
   * @param threshold the score
   * @param ties {@code [rows]} how many of the scores that equal it become zero in each row, the
   *     first ones
   */
  static Selection below(float threshold, int[] ties) {
    return (row, scores, mask) -> {
      for (int j = 0; j < mask.length; j++) {
        mask[j] = 1 - larger(bits(threshold), bits(scores[j]));
      }
      for (int j = 0, left = ties[row]; left > 0; j++) {
        if (scores[j] == threshold) {
          mask[j] = 0;
          left--;
        }
      }
    };
  }
}
