package io.shardpress.operators.compression;

/**
 * Turns weights into codes: {@code round(clamp(x/scale + zero point))}, half to even. The loops
 * have no calls, no branches and no offsets into arrays, so that the JIT vectorizes them.
 */
final class Rounding {
  /** Adding and subtracting {@code 1.5 · 2^23} rounds half to even what lies below {@code 2^22}. */
  static final float MAGIC = 12582912f;

  private final float lowest;
  private final float highest;

  Rounding(Grid grid) {
    lowest = grid.lowest();
    highest = grid.highest();
  }

  /**
   * One column whose rows have a scale each: leaves the codes, as floats, in {@code codes} and
   * their values in {@code chosen}, and counts in {@code clipped}, by row, the weights that lay
   * more than one step outside the grid.
   */
  void column(
      float[] values, float[] scales, float[] zeros, float[] codes, float[] chosen, int[] clipped) {
    float low = lowest;
    float high = highest;
    for (int i = 0; i < values.length; i++) {
      float t = values[i] / scales[i] + zeros[i];
      codes[i] = (Math.min(Math.max(t, low), high) + MAGIC) - MAGIC;
    }
    for (int i = 0; i < values.length; i++) {
      chosen[i] = (codes[i] - zeros[i]) * scales[i];
    }
    for (int i = 0; i < values.length; i++) {
      clipped[i] += Math.abs(values[i] - chosen[i]) > scales[i] ? 1 : 0;
    }
  }
}
