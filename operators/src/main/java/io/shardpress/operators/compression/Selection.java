package io.shardpress.operators.compression;

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
    float[] group = new float[pattern.of()];
    float[] kept = new float[pattern.of()];
    int pruned = pattern.of() - pattern.kept();
    return (row, scores, mask) -> {
      for (int from = 0; from < in; from += group.length) {
        System.arraycopy(scores, from, group, 0, group.length);
        smallestOf(group, pruned, kept);
        System.arraycopy(kept, 0, mask, from, group.length);
      }
    };
  }

  /** A rank by counting: groups are small, and this has no branches to miss. */
  private static void smallestOf(float[] scores, int pruned, float[] kept) {
    for (int j = 0; j < scores.length; j++) {
      int rank = 0;
      for (int k = 0; k < j; k++) {
        rank += scores[k] <= scores[j] ? 1 : 0;
      }
      for (int k = j + 1; k < scores.length; k++) {
        rank += scores[k] < scores[j] ? 1 : 0;
      }
      kept[j] = rank < pruned ? 0 : 1;
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
        mask[j] = scores[j] < threshold ? 0 : 1;
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
