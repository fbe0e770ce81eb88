package io.shardpress.operators.compression;

/**
 * Rounding errors in units of the grid's step, raised to a norm. Built for the inner loop of the
 * clip search: no branch, no clamp, one square root.
 *
 * <p>For {@code 2 ≤ norm ≤ 4} and errors up to half a step, {@code u^norm = u · g(v)} with {@code v
 * = √u} and {@code g(v) = v^(2·norm − 2)} as the polynomial through seven Chebyshev nodes: off by
 * about 1e-7 of the sum. Other norms are raised exactly, one by one. Scratch of one thread.
 */
final class StepErrors {
  private static final int DEGREE = 6;
  private static final double SMALLEST_NODE = 0.1;
  private static final double LARGEST_NODE = Math.sqrt(0.5);

  private final double norm;
  private final boolean polynomial;
  private final float[] coefficients;
  private float[] errors = new float[0];

  StepErrors(double norm) {
    this.norm = norm;
    this.polynomial = norm >= 2 && norm <= 4;
    this.coefficients = interpolate(2 * norm - 2);
  }

  /** Monomial coefficients of the polynomial through {@code v^exponent} at Chebyshev nodes. */
  private static float[] interpolate(double exponent) {
    double[] nodes = new double[DEGREE + 1];
    double[] differences = new double[DEGREE + 1];
    for (int k = 0; k <= DEGREE; k++) {
      double angle = (2 * k + 1) * Math.PI / (2 * DEGREE + 2);
      nodes[k] =
          (SMALLEST_NODE + LARGEST_NODE) / 2 + (LARGEST_NODE - SMALLEST_NODE) / 2 * Math.cos(angle);
      differences[k] = Math.pow(nodes[k], exponent);
    }
    for (int order = 1; order <= DEGREE; order++) {
      for (int k = DEGREE; k >= order; k--) {
        differences[k] = (differences[k] - differences[k - 1]) / (nodes[k] - nodes[k - order]);
      }
    }
    double[] monomials = new double[DEGREE + 1];
    for (int k = DEGREE; k >= 0; k--) {
      for (int power = DEGREE; power > 0; power--) {
        monomials[power] = monomials[power - 1] - nodes[k] * monomials[power];
      }
      monomials[0] = differences[k] - nodes[k] * monomials[0];
    }
    float[] result = new float[DEGREE + 1];
    for (int power = 0; power <= DEGREE; power++) {
      result[power] = (float) monomials[power];
    }
    return result;
  }

  /**
   * {@code Σ |round(t) − t|^norm}, {@code t = value · inverse + zero}, as if no code were clipped.
   */
  double unclipped(float[] values, int count, float inverse, float zero) {
    if (!polynomial) {
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += unclipped(values[i], inverse, zero);
      }
      return sum;
    }
    if (errors.length < count) {
      errors = new float[count];
    }
    raise(values, count, inverse, zero);
    return sum(errors, count);
  }

  /** One term of the sum. */
  double unclipped(float value, float inverse, float zero) {
    float t = value * inverse + zero;
    float u = Math.abs(((t + Rounding.MAGIC) - Rounding.MAGIC) - t);
    if (!polynomial) {
      return Math.pow(u, norm);
    }
    float v = (float) Math.sqrt(u);
    float g = coefficients[DEGREE];
    for (int power = DEGREE - 1; power >= 0; power--) {
      g = g * v + coefficients[power];
    }
    return u * g;
  }

  /** {@code steps^norm}. */
  double power(double steps) {
    return Math.pow(steps, norm);
  }

  private void raise(float[] values, int count, float inverse, float zero) {
    float[] into = errors;
    float c0 = coefficients[0];
    float c1 = coefficients[1];
    float c2 = coefficients[2];
    float c3 = coefficients[3];
    float c4 = coefficients[4];
    float c5 = coefficients[5];
    float c6 = coefficients[6];
    for (int i = 0; i < count; i++) {
      float t = values[i] * inverse + zero;
      float u = Math.abs(((t + Rounding.MAGIC) - Rounding.MAGIC) - t);
      float v = (float) Math.sqrt(u);
      into[i] = u * ((((((c6 * v + c5) * v + c4) * v + c3) * v + c2) * v + c1) * v + c0);
    }
  }

  /** Eight running sums: one would wait for itself. */
  private static double sum(float[] x, int count) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    float s4 = 0;
    float s5 = 0;
    float s6 = 0;
    float s7 = 0;
    int i = 0;
    for (; i + 7 < count; i += 8) {
      s0 += x[i];
      s1 += x[i + 1];
      s2 += x[i + 2];
      s3 += x[i + 3];
      s4 += x[i + 4];
      s5 += x[i + 5];
      s6 += x[i + 6];
      s7 += x[i + 7];
    }
    for (; i < count; i++) {
      s0 += x[i];
    }
    return ((double) s0 + s1) + ((double) s2 + s3) + ((double) s4 + s5) + ((double) s6 + s7);
  }
}
