package io.shardpress.operators.linalg;

/**
 * eˣ of a block of values, within 2 units in the last place; at least 1e-38, infinite above 88.7.
 *
 * <p>With n = round(x / ln 2) and r = x - n·ln 2, eˣ is 2ⁿ times the Taylor polynomial of eʳ: at
 * |r| ≤ ln 2 / 2 the first term left out, r⁸/8!, is below 6e-9. The polynomial and the power are
 * separate loops because the JIT vectorizes the first and not the second.
 */
final class Exponentials {
  /** Two blocks of this many floats stay in a core's first-level cache. */
  private static final int LARGEST = 256;

  private static final float LOG2_E = (float) (1 / Math.log(2));

  /** ln 2 in two parts: the first has few bits, so that n·high is exact. */
  private static final float LN2_HIGH = 355f / 512;

  private static final float LN2_LOW = (float) (Math.log(2) - LN2_HIGH);

  /** Adding and subtracting 1.5·2²³ rounds to the nearest integer, which stays in the low bits. */
  private static final float ROUNDER = 12582912f;

  private static final int EXPONENT_BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  private final float[] arguments;
  private final float[] shifted;

  /** Blocks of {@code count} values, if that is not too much. */
  Exponentials(int count) {
    arguments = new float[Math.min(count, LARGEST)];
    shifted = new float[arguments.length];
  }

  /** Largest block. */
  int size() {
    return arguments.length;
  }

  /** Where arguments are put and results are found. */
  float[] arguments() {
    return arguments;
  }

  /** Replaces the first {@code n} arguments by their exponentials. */
  void replaceArguments(int n) {
    polynomials(arguments, shifted, n);
    for (int i = 0; i < n; i++) {
      int exponent = Float.floatToRawIntBits(shifted[i]) + EXPONENT_BIAS;
      arguments[i] *= Float.intBitsToFloat(exponent << MANTISSA_BITS);
    }
  }

  private static void polynomials(float[] x, float[] shifted, int count) {
    for (int i = 0; i < count; i++) {
      float bounded = Math.max(Math.min(x[i], 89f), -87.3f);
      float s = bounded * LOG2_E + ROUNDER;
      float n = s - ROUNDER;
      float r = (bounded - n * LN2_HIGH) - n * LN2_LOW;
      float p = 1f / 5040;
      p = p * r + 1f / 720;
      p = p * r + 1f / 120;
      p = p * r + 1f / 24;
      p = p * r + 1f / 6;
      p = p * r + 0.5f;
      p = p * r + 1f;
      x[i] = p * r + 1f;
      shifted[i] = s;
    }
  }
}
