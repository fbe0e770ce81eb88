package io.shardpress.operators.compression;

import java.util.Arrays;

/**
 * Finds the k smallest of some non-negative numbers, ties by index, by counting their highest bits
 * first. Scratch of one thread.
 */
final class Smallest {
  /** The lowest bit that is counted by: sign, exponent and four bits of mantissa are above. */
  private static final int SHIFT = 19;

  private final int[] counts = new int[1 << (31 - SHIFT)];
  private int[] bits = new int[0];
  private int[] candidates = new int[0];

  /** Sets {@code mask} to 0 for the {@code k} smallest of {@code n} scores, and to 1 for others. */
  void mask(float[] scores, int n, int k, float[] mask) {
    if (k == 0) {
      Arrays.fill(mask, 0, n, 1);
      return;
    }
    if (bits.length < n) {
      bits = new int[n];
      candidates = new int[n + 1];
    }
    for (int i = 0; i < n; i++) {
      bits[i] = Float.floatToRawIntBits(scores[i]);
    }
    int threshold = threshold(n, k);
    int below = 0;
    for (int i = 0; i < n; i++) {
      int smaller = (bits[i] - threshold) >>> 31;
      below += smaller;
      mask[i] = 1 - smaller;
    }
    int ties = k - below;
    for (int i = 0; ties > 0; i++) {
      if (bits[i] == threshold) {
        mask[i] = 0;
        ties--;
      }
    }
  }

  /** The k-th smallest of the bits, which order numbers that are not negative. */
  private int threshold(int n, int k) {
    Arrays.fill(counts, 0);
    for (int i = 0; i < n; i++) {
      counts[bits[i] >>> SHIFT]++;
    }
    int bucket = 0;
    int below = 0;
    while (below + counts[bucket] < k) {
      below += counts[bucket++];
    }
    int found = 0;
    for (int i = 0; i < n; i++) {
      candidates[found] = bits[i];
      found += bits[i] >>> SHIFT == bucket ? 1 : 0;
    }
    Arrays.sort(candidates, 0, found);
    return candidates[k - below - 1];
  }
}
