package io.shardpress.operators.compression;

/**
 * The search of {@link Clip.Method#MSE} in one group. The error of a candidate is that of rounding
 * without ends, corrected for the few weights beyond the ends. Scratch of one thread.
 *
 * <p>Once the weights beyond the ends alone cost more than the best candidate, the search stops:
 * their cost only grows as the range shrinks.
 */
final class ClipSearch {
  /** Weights beyond this share of the range are set aside first, the others if needed. */
  private static final float FIRST_SHARE = 0.6f;

  /** A stored scale may lie this much below the exact one. */
  private static final float ROUNDED_SCALE = 0.98f;

  private final Grid grid;
  private final float[] shrinks;
  private final double[] shrinkPowers;
  private final double norm;
  private final StepErrors errors;
  private float[] outer = new float[0];
  private int outerCount;
  private float outerShare;

  ClipSearch(Grid grid, Clip clip) {
    this.grid = grid;
    this.norm = clip.norm();
    this.errors = new StepErrors(clip.norm());
    int candidates = Math.max(1, (int) (clip.maxShrink() * clip.grid()));
    shrinks = new float[candidates];
    shrinkPowers = new double[candidates];
    for (int i = 0; i < candidates; i++) {
      double p = 1 - i / (double) clip.grid();
      shrinks[i] = (float) p;
      shrinkPowers[i] = Math.pow(p, norm);
    }
  }

  /**
   * The factor in {@code (0, 1]} on {@code [min, max]} with the least error over the first {@code
   * count} values.
   *
   * @param range lays candidate ranges on the grid
   */
  float bestShrink(float[] values, int count, float min, float max, GroupRange range) {
    range.lay(min, max);
    float fullScale = range.scale();
    if (!Float.isFinite(fullScale)) {
      return 1;
    }
    outerShare = Float.POSITIVE_INFINITY;
    double best = Double.POSITIVE_INFINITY;
    int winner = 0;
    for (int i = 0; i < shrinks.length; i++) {
      range.lay(shrinks[i] * min, shrinks[i] * max);
      setOuterAside(values, count, min, max, shrinks[i]);
      double unit = shrinkPowers[i] * power(range.scale() / ((double) fullScale * shrinks[i]));
      double clipped = clippedError(range, 0) * unit;
      if (clipped > best) {
        if (grid.symmetric() || clippedError(range, 1) * unit > best) {
          break;
        }
        continue;
      }
      float inverse = 1 / range.scale();
      double error =
          clipped
              + (errors.unclipped(values, count, inverse, range.zeroPoint())
                      - unclippedOuter(range, inverse))
                  * unit;
      if (error < best) {
        best = error;
        winner = i;
      }
    }
    return shrinks[winner];
  }

  /** {@code ratio^norm}; the stored scale differs from the exact one by rounding only. */
  private double power(double ratio) {
    double d = ratio - 1;
    return Math.abs(d) < 0x1p-7
        ? 1 + norm * d * (1 + (norm - 1) / 2 * d * (1 + (norm - 2) / 3 * d))
        : errors.power(ratio);
  }

  /** Collects the weights that candidates down to {@code shrink} may clip. */
  private void setOuterAside(float[] values, int count, float min, float max, float shrink) {
    float share = shrink * ROUNDED_SCALE;
    if (share >= outerShare) {
      return;
    }
    outerShare = share > FIRST_SHARE ? FIRST_SHARE : shrinks[shrinks.length - 1] * ROUNDED_SCALE;
    if (outer.length < count) {
      outer = new float[count];
    }
    float top = outerShare * (grid.symmetric() ? Math.max(-min, max) : max);
    float bottom = outerShare * (grid.symmetric() ? -Math.max(-min, max) : min);
    outerCount = 0;
    for (int i = 0; i < count; i++) {
      if (values[i] > top || values[i] < bottom) {
        outer[outerCount++] = values[i];
      }
    }
  }

  /**
   * Error of the weights more than half a step beyond the ends, in steps.
   *
   * @param slack steps by which the ends are moved out: one covers what rounding the zero point of
   *     a narrower range can win back
   */
  private double clippedError(GroupRange range, int slack) {
    float inverse = 1 / range.scale();
    double sum = 0;
    for (int i = 0; i < outerCount; i++) {
      float beyond = beyond(outer[i] * inverse + range.zeroPoint());
      if (beyond > 0.5f) {
        sum += beyond > slack ? errors.power(beyond - slack) : 0;
      }
    }
    return sum;
  }

  /** What the same weights add to the error of rounding without ends. */
  private double unclippedOuter(GroupRange range, float inverse) {
    double sum = 0;
    for (int i = 0; i < outerCount; i++) {
      if (beyond(outer[i] * inverse + range.zeroPoint()) > 0.5f) {
        sum += errors.unclipped(outer[i], inverse, range.zeroPoint());
      }
    }
    return sum;
  }

  private float beyond(float t) {
    return Math.max(t - grid.highest(), grid.lowest() - t);
  }
}
