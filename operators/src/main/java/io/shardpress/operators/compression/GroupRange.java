package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import java.util.EnumSet;
import java.util.Set;

/**
 * Finds scale and zero point of one group of weights after another. The scale is rounded to its
 * stored type before anything is divided by it. Scratch of one thread.
 *
 * <p>Symmetric: {@code scale = amax / ((qmax − qmin)/2)}. Asymmetric: {@code scale = (max −
 * min)/(2^b − 1)}, {@code zero point = round(clamp(qmin − min/scale))}, with {@code min ≤ 0 ≤ max}.
 */
final class GroupRange {
  /** Above this many bits the full range wins almost always, and the search is skipped. */
  private static final int SEARCHED_BITS = 7;

  private static final Set<Clip.Method> SEARCHING = EnumSet.of(Clip.Method.MSE, Clip.Method.BEST);

  private final Grid grid;
  private final boolean sawb;
  private final DType scaleType;
  private final DType computeType;
  private final ClipSearch search;
  private float scale;
  private float zeroPoint;

  /**
   * @param scaleType the type that scales are stored in
   * @param computeType F32, or the type that every intermediate is rounded to, as upstream does
   */
  GroupRange(Grid grid, Clip clip, DType scaleType, DType computeType) {
    this.grid = grid;
    this.scaleType = scaleType;
    this.computeType = computeType;
    this.search = searches(clip, grid) ? new ClipSearch(grid, clip) : null;
    this.sawb = clip.method() == Clip.Method.SAWB;
  }

  static boolean searches(Clip clip, Grid grid) {
    return SEARCHING.contains(clip.method()) && grid.bits() <= SEARCHED_BITS;
  }

  /**
   * Whether {@link #find} looks for a better range than the one from {@code min} to {@code max}.
   */
  boolean searches() {
    return search != null || sawb;
  }

  /** Looks at the first {@code count} values; the answers stay until the next call. */
  void find(float[] values, int count) {
    float min = 0;
    float max = 0;
    for (int i = 0; i < count; i++) {
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    if (sawb) {
      float clip = Sawb.clip(grid.bits(), values, count, Math.max(-min, max));
      lay(-clip, clip);
      return;
    }
    lay(min, max);
    if (search != null && min < max) {
      float p = search.bestShrink(values, count, min, max, this);
      lay(p * min, p * max);
    }
  }

  /** Lays {@code [min, max]} on the grid. */
  void lay(float min, float max) {
    if (grid.symmetric()) {
      float halfSteps = (grid.highest() - grid.lowest()) / 2f;
      scale = stored(Math.max(-min, max) / halfSteps);
      zeroPoint = 0;
    } else {
      scale = stored(round(max - min) / (grid.highest() - grid.lowest()));
      float zero = round(grid.lowest() - round(min / scale));
      zeroPoint = (float) Math.rint(Math.min(Math.max(zero, grid.lowest()), grid.highest()));
    }
  }

  private float stored(float exact) {
    float rounded = FloatCodec.roundTo(scaleType, round(exact));
    return rounded > 0 || Float.isNaN(rounded) ? rounded : epsilon();
  }

  /** What stands for a zero scale, so that zeros stay zeros without a division by zero. */
  private float epsilon() {
    return switch (scaleType) {
      case BF16 -> 0x1p-7f;
      case F16 -> 0x1p-10f;
      default -> 0x1p-23f;
    };
  }

  private float round(float value) {
    return FloatCodec.roundTo(computeType, value);
  }

  /** Stored scale of the last group: positive, but infinite or NaN where the range was. */
  float scale() {
    return scale;
  }

  /** Integer zero point of the last group. */
  float zeroPoint() {
    return zeroPoint;
  }
}
