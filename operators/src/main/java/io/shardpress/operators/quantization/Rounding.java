package io.shardpress.operators.quantization;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;

/**
 * Turns weights into codes: {@code round(clamp(x/scale + zero point))}, half to even. Loops are
 * kept free of calls and branches so that the JIT vectorizes them. Scratch of one thread.
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

  /** Codes of {@code count} weights that share one scale. */
  void group(
      float[] values, int at, int count, float scale, float zero, byte[] codes, int codesAt) {
    float[] q = scratch(count);
    float low = lowest;
    float high = highest;
    int beyond = 0;
    if (computeType != DType.F32) {
      roundedGroup(values, at, count, scale, zero, q);
    } else {
      for (int i = 0; i < count; i++) {
        float t = values[at + i] / scale + zero;
        q[i] = (Math.min(Math.max(t, low), high) + MAGIC) - MAGIC;
      }
    }
    for (int i = 0; i < count; i++) {
      beyond += Math.abs(values[at + i] / scale + zero - q[i]) > 1 ? 1 : 0;
      codes[codesAt + i] = (byte) q[i];
    }
    clipped += beyond;
  }

  private void roundedGroup(float[] values, int at, int count, float scale, float zero, float[] q) {
    for (int i = 0; i < count; i++) {
      float quotient = FloatCodec.roundTo(computeType, values[at + i] / scale);
      float t = FloatCodec.roundTo(computeType, quotient + zero);
      q[i] = (float) Math.rint(Math.min(Math.max(t, lowest), highest));
    }
  }

  /**
   * One column of {@code count} rows with a scale each: leaves the codes, as floats, in {@code
   * codes} and their values in {@code chosen}.
   */
  void column(
      float[] values,
      int at,
      int count,
      float[] scales,
      float[] zeros,
      int scalesAt,
      float[] codes,
      float[] chosen) {
    float low = lowest;
    float high = highest;
    for (int i = 0; i < count; i++) {
      float t = values[at + i] / scales[scalesAt + i] + zeros[scalesAt + i];
      codes[i] = (Math.min(Math.max(t, low), high) + MAGIC) - MAGIC;
    }
    for (int i = 0; i < count; i++) {
      chosen[i] = (codes[i] - zeros[scalesAt + i]) * scales[scalesAt + i];
    }
    int beyond = 0;
    for (int i = 0; i < count; i++) {
      beyond += Math.abs(values[at + i] - chosen[i]) > scales[scalesAt + i] ? 1 : 0;
    }
    clipped += beyond;
  }

  /** Weights so far that lay more than one step outside the grid. */
  long clipped() {
    return clipped;
  }

  private float[] scratch(int count) {
    if (rounded.length < count) {
      rounded = new float[count];
    }
    return rounded;
  }
}
