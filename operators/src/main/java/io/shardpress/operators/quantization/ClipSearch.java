package io.shardpress.operators.quantization;

/**
 * The search of {@link Clip.Method#MSE} in one group, in units of the grid's step so that the inner
 * loops vectorize. Candidates whose largest weight alone loses against the best are not tried, nor
 * are those after them: that error only grows as the range shrinks.
 */
final class ClipSearch {
  private final Grid grid;
  private final float[] shrinks;
  private final double[] shrinkPowers;
  private final double norm;
  private final PowerSum powers;
  private float[] deviations = new float[0];

  ClipSearch(Grid grid, Clip clip) {
    this.grid = grid;
    this.norm = clip.norm();
    this.powers = new PowerSum(clip.norm());
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
   * The factor in {@code (0, 1]} on {@code [min, max]} with the least error.
   *
   * @param range lays candidate ranges on the grid
   */
  float bestShrink(float[] values, int at, int count, float min, float max, GroupRange range) {
    if (deviations.length < count) {
      deviations = new float[count];
    }
    range.lay(min, max);
    float fullScale = range.scale();
    if (!Float.isFinite(fullScale)) {
      return 1;
    }
    double best = errorAt(values, at, count, range);
    int winner = 0;
    for (int i = 1; i < shrinks.length; i++) {
      range.lay(shrinks[i] * min, shrinks[i] * max);
      if (leastPossibleError(min, max, range, fullScale) > best) {
        break;
      }
      double unit = scalePower(range.scale() / ((double) fullScale * shrinks[i]));
      double error = errorAt(values, at, count, range) * shrinkPowers[i] * unit;
      if (error < best) {
        best = error;
        winner = i;
      }
    }
    return shrinks[winner];
  }

  /** {@code ratio^norm}; the stored scale differs from the exact one by rounding only. */
  private double scalePower(double ratio) {
    double delta = ratio - 1;
    return Math.abs(delta) < 0x1p-7
        ? 1 + norm * delta * (1 + (norm - 1) / 2 * delta * (1 + (norm - 2) / 3 * delta))
        : Math.pow(ratio, norm);
  }

  /** Error of the larger end alone in full-range steps, one step of slack for its rounding. */
  private double leastPossibleError(float min, float max, GroupRange range, float fullScale) {
    float above = max - (grid.highest() - range.zeroPoint() + 1) * range.scale();
    float below = (grid.lowest() - range.zeroPoint() - 1) * range.scale() - min;
    double steps = Math.max(above, below) / fullScale;
    return steps <= 0 ? 0 : Math.pow(steps, norm);
  }

  /** {@code Σ|x̂ − x|^norm} in steps. */
  private double errorAt(float[] values, int at, int count, GroupRange range) {
    float inverse = 1 / range.scale();
    float zero = range.zeroPoint();
    float lowest = grid.lowest();
    float highest = grid.highest();
    float[] u = deviations;
    for (int i = 0; i < count; i++) {
      float t = values[at + i] * inverse + zero;
      float rounded = (Math.min(Math.max(t, lowest), highest) + Rounding.MAGIC) - Rounding.MAGIC;
      u[i] = Math.abs(rounded - t);
    }
    return powers.of(u, count);
  }
}
