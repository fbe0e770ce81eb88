package io.shardpress.operators.compression;

/**
 * Loops over the first {@code n} elements of arrays, written so that the JIT vectorizes them: they
 * start at 0, call nothing, and avoid what it leaves scalar, which are conversions between types
 * and maxima of integers. Bits are those of F32.
 */
final class LaneLoops {
  static final int MAGNITUDE = 0x7fff_ffff;
  private static final int HIGH_HALF = 0xffff_0000;
  private static final int CODE = 0xff;

  private LaneLoops() {}

  /** Widens two BF16 per word; {@code magnitudes} get the larger one's of each two. */
  static void split(int[] words, int n, int[] even, int[] odd, int[] magnitudes) {
    for (int k = 0; k < n; k++) {
      int word = words[k];
      int low = word << 16;
      even[k] = low;
      odd[k] = word & HIGH_HALF;
      int a = low & MAGNITUDE;
      int b = word & MAGNITUDE & HIGH_HALF;
      int ahead = a - b;
      magnitudes[k] = b + (ahead & ~(ahead >> 31));
    }
  }

  /** Widens two BF16 per word; {@code above} and {@code below} as {@link #sides} has them. */
  static void splitSides(int[] words, int n, int[] even, int[] odd, int[] above, int[] below) {
    for (int k = 0; k < n; k++) {
      even[k] = words[k] << 16;
    }
    for (int k = 0; k < n; k++) {
      odd[k] = words[k] & HIGH_HALF;
    }
    for (int k = 0; k < n; k++) {
      int a = even[k] & ~(even[k] >> 31);
      int b = odd[k] & ~(odd[k] >> 31);
      int ahead = a - b;
      above[k] = b + (ahead & ~(ahead >> 31));
    }
    for (int k = 0; k < n; k++) {
      int a = even[k] & (even[k] >> 31) & MAGNITUDE;
      int b = odd[k] & (odd[k] >> 31) & MAGNITUDE;
      int ahead = a - b;
      below[k] = b + (ahead & ~(ahead >> 31));
    }
  }

  static void magnitudes(int[] bits, int n, int[] magnitudes) {
    for (int k = 0; k < n; k++) {
      magnitudes[k] = bits[k] & MAGNITUDE;
    }
  }

  /**
   * Magnitudes of positive elements to {@code above}, of negative ones to {@code below}; else 0.
   */
  static void sides(int[] bits, int n, int[] above, int[] below) {
    for (int k = 0; k < n; k++) {
      above[k] = bits[k] & ~(bits[k] >> 31);
    }
    for (int k = 0; k < n; k++) {
      below[k] = bits[k] & (bits[k] >> 31) & MAGNITUDE;
    }
  }

  /** The largest of some magnitudes. Four running maxima: one would wait for itself. */
  static int largest(int[] magnitudes, int from, int to) {
    int a = 0;
    int b = 0;
    int c = 0;
    int d = 0;
    int k = from;
    for (; k < to - 3; k += 4) {
      a = Math.max(a, magnitudes[k]);
      b = Math.max(b, magnitudes[k + 1]);
      c = Math.max(c, magnitudes[k + 2]);
      d = Math.max(d, magnitudes[k + 3]);
    }
    for (; k < to; k++) {
      a = Math.max(a, magnitudes[k]);
    }
    return Math.max(Math.max(a, b), Math.max(c, d));
  }

  /**
   * {@code clamp(round(x/scale + zero)) + MAGIC}, half to even, for quotients below 2^22. The clamp
   * of an integer r is {@code (|r − low| − |r − high| + low + high)/2}, exactly: minima and maxima
   * of floats cost three times as much.
   */
  static void round(
      float[] x, float[] scales, float[] zeros, int n, float low, float high, float[] rounded) {
    float ends = low + high;
    for (int k = 0; k < n; k++) {
      float r = x[k] / scales[k] + zeros[k] + Rounding.MAGIC - Rounding.MAGIC;
      float clamped = (Math.abs(r - low) - Math.abs(r - high) + ends) * 0.5f;
      rounded[k] = clamped + Rounding.MAGIC;
    }
  }

  /**
   * Adds {@code (x − (q − zero) · scale)²} to {@code errors} and {@code x²} to {@code energies}.
   */
  static void addSquares(
      float[] x,
      float[] scales,
      float[] zeros,
      float[] rounded,
      int n,
      float[] errors,
      float[] energies) {
    for (int k = 0; k < n; k++) {
      float error = x[k] - (rounded[k] - Rounding.MAGIC - zeros[k]) * scales[k];
      errors[k] += error * error;
      energies[k] += x[k] * x[k];
    }
  }

  /** {@link #round} and {@link #addSquares} of a symmetric grid, whose zeros are 0, in one go. */
  static void roundAndAddSquares(
      float[] x,
      float[] scales,
      int n,
      float low,
      float high,
      float[] rounded,
      float[] errors,
      float[] energies) {
    float ends = low + high;
    for (int k = 0; k < n; k++) {
      float r = x[k] / scales[k] + Rounding.MAGIC - Rounding.MAGIC;
      float clamped = (Math.abs(r - low) - Math.abs(r - high) + ends) * 0.5f;
      rounded[k] = clamped + Rounding.MAGIC;
      float error = x[k] - clamped * scales[k];
      errors[k] += error * error;
      energies[k] += x[k] * x[k];
    }
  }

  /** The codes in the low bits of rounded floats, two to a word. */
  static void pair(int[] even, int[] odd, int n, int[] pairs) {
    for (int k = 0; k < n; k++) {
      pairs[k] = (even[k] & CODE) | ((odd[k] & CODE) << 8);
    }
  }

  static void narrow(int[] pairs, int n, short[] into) {
    for (int k = 0; k < n; k++) {
      into[k] = (short) pairs[k];
    }
  }

  static void narrow(int[] codes, int n, byte[] into) {
    for (int k = 0; k < n; k++) {
      into[k] = (byte) codes[k];
    }
  }
}
