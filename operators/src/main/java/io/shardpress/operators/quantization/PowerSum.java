package io.shardpress.operators.quantization;

/**
 * {@code Σ u^norm} over non-negative deviations, fast where the norm allows it.
 *
 * <p>For {@code 2 ≤ norm ≤ 3}: {@code u^norm = u² · h(v)} with {@code v = u^(1/8)} from three
 * square roots, and {@code h(v) = v^(8(norm−2))} as the polynomial through nine Chebyshev nodes:
 * below 1e-8 of the sum off for deviations up to two steps. Larger ones, of clipped weights, are
 * raised exactly, and so is everything under another norm.
 */
final class PowerSum {
  private static final float LARGEST = 2f;
  private static final double SMALLEST_NODE = 0.004;
  private static final int DEGREE = 8;

  private final double norm;
  private final boolean fast;
  private final float[] nodes = new float[DEGREE + 1];
  private final float[] coefficients = new float[DEGREE + 1];
  private float[] powers = new float[0];

  PowerSum(double norm) {
    this.norm = norm;
    this.fast = norm >= 2 && norm <= 3;
    double low = Math.pow(SMALLEST_NODE, 1 / 8.0);
    double high = Math.pow(LARGEST, 1 / 8.0);
    double[] differences = new double[DEGREE + 1];
    for (int k = 0; k <= DEGREE; k++) {
      double angle = (2 * k + 1) * Math.PI / (2 * DEGREE + 2);
      nodes[k] = (float) ((low + high) / 2 + (high - low) / 2 * Math.cos(angle));
      differences[k] = Math.pow(nodes[k], 8 * (norm - 2));
    }
    for (int order = 1; order <= DEGREE; order++) {
      for (int k = DEGREE; k >= order; k--) {
        differences[k] =
            (differences[k] - differences[k - 1]) / ((double) nodes[k] - nodes[k - order]);
      }
    }
    for (int k = 0; k <= DEGREE; k++) {
      coefficients[k] = (float) differences[k];
    }
  }

  /** The sum over {@code u[0 .. count)}. */
  double of(float[] u, int count) {
    if (!fast) {
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += Math.pow(u[i], norm);
      }
      return sum;
    }
    if (powers.length < count) {
      powers = new float[count];
    }
    raise(u, count);
    double sum = sum(powers, count);
    float largest = 0;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, u[i]);
    }
    return largest > LARGEST ? sum + beyond(u, count) : sum;
  }

  /** {@code powers[i] = min(u[i], LARGEST)^norm}. */
  private void raise(float[] u, int count) {
    float[] p = powers;
    float x0 = nodes[0];
    float x1 = nodes[1];
    float x2 = nodes[2];
    float x3 = nodes[3];
    float x4 = nodes[4];
    float x5 = nodes[5];
    float x6 = nodes[6];
    float x7 = nodes[7];
    float c0 = coefficients[0];
    float c1 = coefficients[1];
    float c2 = coefficients[2];
    float c3 = coefficients[3];
    float c4 = coefficients[4];
    float c5 = coefficients[5];
    float c6 = coefficients[6];
    float c7 = coefficients[7];
    float c8 = coefficients[8];
    for (int i = 0; i < count; i++) {
      float d = Math.min(u[i], LARGEST);
      float v = (float) Math.sqrt((float) Math.sqrt((float) Math.sqrt(d)));
      float h = c8;
      h = h * (v - x7) + c7;
      h = h * (v - x6) + c6;
      h = h * (v - x5) + c5;
      h = h * (v - x4) + c4;
      h = h * (v - x3) + c3;
      h = h * (v - x2) + c2;
      h = h * (v - x1) + c1;
      h = h * (v - x0) + c0;
      p[i] = d * d * h;
    }
  }

  private double beyond(float[] u, int count) {
    double capped = Math.pow(LARGEST, norm);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      if (u[i] > LARGEST) {
        sum += Math.pow(u[i], norm) - capped;
      }
    }
    return sum;
  }

  /** Four running sums: one would wait for itself. */
  private static double sum(float[] values, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      s0 += values[i];
      s1 += values[i + 1];
      s2 += values[i + 2];
      s3 += values[i + 3];
    }
    for (; i < count; i++) {
      s0 += values[i];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
