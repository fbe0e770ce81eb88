package io.shardpress.operators.quantization;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;

/**
 * Turns weights into codes: {@code round(clamp(x/scale + zero point))}, half to even. The loops
 * have no calls, no branches and no offsets into arrays, so that the JIT vectorizes them. Scratch
 * of one thread.
 */
final class Rounding {
  /** Adding and subtracting {@code 1.5 · 2^23} rounds half to even what lies below {@code 2^22}. */
  static final float MAGIC = 12582912f;

  private final float lowest;
  private final float highest;
  private final DType computeType;
  private float[] rounded = new float[0];
  private long clipped;

  /**
   * @param computeType F32, or the type that every intermediate is rounded to, as upstream does
   */
  Rounding(Grid grid, DType computeType) {
    lowest = grid.lowest();
    highest = grid.highest();
    this.computeType = computeType;
  }

  /** Codes of the first {@code count} weights, which share one scale. */
  void group(float[] values, int count, float scale, float zero, byte[] codes, int codesAt) {
    if (rounded.length < count) {
      rounded = new float[count];
    }
    float[] q = rounded;
    if (computeType == DType.F32) {
      round(values, count, scale, zero, q);
    } else {
      roundInComputeType(values, count, scale, zero, q);
    }
    int beyond = 0;
    for (int i = 0; i < count; i++) {
      beyond += Math.abs(values[i] - (q[i] - zero) * scale) > scale ? 1 : 0;
      codes[codesAt + i] = (byte) q[i];
    }
    clipped += beyond;
  }

  private void round(float[] values, int count, float scale, float zero, float[] q) {
    float low = lowest;
    float high = highest;
    for (int i = 0; i < count; i++) {
      float t = values[i] / scale + zero;
      q[i] = (Math.min(Math.max(t, low), high) + MAGIC) - MAGIC;
    }
  }

  private void roundInComputeType(float[] values, int count, float scale, float zero, float[] q) {
    for (int i = 0; i < count; i++) {
      float quotient = FloatCodec.roundTo(computeType, values[i] / scale);
      float t = FloatCodec.roundTo(computeType, quotient + zero);
      q[i] = (float) Math.rint(Math.min(Math.max(t, lowest), highest));
    }
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

  /** Weights of groups so far that lay more than one step outside the grid. */
  long clipped() {
    return clipped;
  }
}
