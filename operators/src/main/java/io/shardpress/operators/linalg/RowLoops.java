package io.shardpress.operators.linalg;

/**
 * Element and row loops of transformer blocks on {@code float[]}: {@code count} values from {@code
 * from}, changed in place. Sums use a fixed number of interleaved accumulators, so results do not
 * depend on the machine. NaN in, NaN out.
 *
 * <p>Loops over two arrays, or from an offset, go through small blocks that start at zero: the JIT
 * vectorizes those, and copies cost little.
 */
public final class RowLoops {
  /** Blocks of this many floats stay in a core's first-level cache. */
  private static final int BLOCK = 512;

  private static final float SQRT_HALF = (float) Math.sqrt(0.5);
  private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);

  private static final Loop DIVIDE_BY_ONE_PLUS =
      (y, x, n) -> {
        for (int i = 0; i < n; i++) {
          y[i] /= 1 + x[i];
        }
      };

  private RowLoops() {}

  /** Softmax of one row. */
  public static void softmax(float[] a, int from, int count) {
    float max = max(a, from, count);
    Exponentials e = new Exponentials(count);
    float[] x = e.arguments();
    double total = 0;
    for (int done = 0; done < count; done += e.size()) {
      int n = Math.min(e.size(), count - done);
      System.arraycopy(a, from + done, x, 0, n);
      for (int i = 0; i < n; i++) {
        x[i] -= max;
      }
      e.replaceArguments(n);
      total += sum(x, 0, n);
      System.arraycopy(x, 0, a, from + done, n);
    }
    scale(a, from, count, (float) (1 / total));
  }

  /** {@code x / sqrt(mean(x²) + epsilon) · weight}. */
  public static void rmsNorm(float[] a, int from, float[] weight, double epsilon) {
    int count = weight.length;
    float inverse = (float) (1 / Math.sqrt(sumOfSquares(a, from, count) / count + epsilon));
    scale(a, from, count, inverse);
    multiply(a, from, weight, 0, count);
  }

  /** {@code (x - mean) / sqrt(variance + epsilon) · weight + bias}. */
  public static void layerNorm(float[] a, int from, float[] weight, float[] bias, double epsilon) {
    int count = weight.length;
    float mean = (float) (sum(a, from, count) / count);
    for (int i = from; i < from + count; i++) {
      a[i] -= mean;
    }
    float inverse = (float) (1 / Math.sqrt(sumOfSquares(a, from, count) / count + epsilon));
    scale(a, from, count, inverse);
    multiply(a, from, weight, 0, count);
    add(a, from, bias, 0, count);
  }

  /** {@code x · sigmoid(x)}. */
  public static void silu(float[] a, int from, int count) {
    timesSigmoid(a, from, count, 1f);
  }

  /** {@code x · sigmoid(1.702 x)}. */
  public static void quickGelu(float[] a, int from, int count) {
    timesSigmoid(a, from, count, 1.702f);
  }

  private static void timesSigmoid(float[] a, int from, int count, float slope) {
    throughExponentials(
        a,
        from,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] = -slope * y[i];
          }
        },
        DIVIDE_BY_ONE_PLUS);
  }

  /**
   * The tanh approximation of gelu, {@code x/2 · (1 + tanh u)} with u = sqrt(2/π)·(x + 0.044715
   * x³), as the equal {@code x / (1 + exp(-2u))}.
   */
  public static void geluTanh(float[] a, int from, int count) {
    throughExponentials(
        a,
        from,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] = -2 * SQRT_2_OVER_PI * (y[i] + 0.044715f * y[i] * y[i] * y[i]);
          }
        },
        DIVIDE_BY_ONE_PLUS);
  }

  /**
   * {@code x · Φ(x)}. With q = 1 - Φ(|x|) it is {@code max(x, 0) - |x|·q}; q is half the
   * complementary error function of |x|/√2 by Abramowitz and Stegun 7.1.26, absolute error below
   * 1e-7.
   */
  public static void gelu(float[] a, int from, int count) {
    throughExponentials(
        a,
        from,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] = -0.5f * y[i] * y[i];
          }
        },
        (y, x, n) -> {
          for (int i = 0; i < n; i++) {
            float magnitude = Math.abs(y[i]);
            float t = 1 / (1 + 0.3275911f * SQRT_HALF * magnitude);
            float p = (float) 1.061405429;
            p = p * t - (float) 1.453152027;
            p = p * t + (float) 1.421413741;
            p = p * t - (float) 0.284496736;
            p = p * t + (float) 0.254829592;
            float tail = 0.5f * p * t * x[i];
            y[i] = Math.max(y[i], 0f) - magnitude * tail;
          }
        });
  }

  /**
   * @param arguments makes the exponentials' arguments of the values
   * @param combine changes the values by the exponentials
   */
  private static void throughExponentials(
      float[] a, int from, int count, Loop arguments, Loop combine) {
    Exponentials e = new Exponentials(count);
    float[] x = e.arguments();
    float[] y = new float[e.size()];
    for (int done = 0; done < count; done += e.size()) {
      int n = Math.min(e.size(), count - done);
      System.arraycopy(a, from + done, y, 0, n);
      arguments.run(x, y, n);
      e.replaceArguments(n);
      combine.run(y, x, n);
      System.arraycopy(y, 0, a, from + done, n);
    }
  }

  public static void relu(float[] a, int from, int count) {
    for (int i = from; i < from + count; i++) {
      a[i] = Math.max(a[i], 0f);
    }
  }

  /** {@code cap · tanh(x / cap)}. */
  public static void softCap(float[] a, int from, int count, float cap) {
    float inverse = 1 / cap;
    for (int i = from; i < from + count; i++) {
      a[i] = cap * tanh(a[i] * inverse);
    }
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public static float sigmoid(float x) {
    return (float) (1 / (1 + Math.exp(-x)));
  }

  public static void scale(float[] a, int from, int count, float factor) {
    for (int i = from; i < from + count; i++) {
      a[i] *= factor;
    }
  }

  /** {@code a += b}, with {@code b} read from {@code fromB}. */
  public static void add(float[] a, int from, float[] b, int fromB, int count) {
    inBlocks(
        a,
        from,
        b,
        fromB,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] += y[i];
          }
        });
  }

  /** {@code a += factor · b}. */
  public static void addScaled(float[] a, int from, float[] b, int fromB, int count, float factor) {
    inBlocks(
        a,
        from,
        b,
        fromB,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] += factor * y[i];
          }
        });
  }

  /** {@code a *= b}. */
  public static void multiply(float[] a, int from, float[] b, int fromB, int count) {
    inBlocks(
        a,
        from,
        b,
        fromB,
        count,
        (x, y, n) -> {
          for (int i = 0; i < n; i++) {
            x[i] *= y[i];
          }
        });
  }

  /** Changes the first {@code n} of x by those of y. */
  private interface Loop {
    void run(float[] x, float[] y, int n);
  }

  private static void inBlocks(float[] a, int from, float[] b, int fromB, int count, Loop loop) {
    float[] x = new float[Math.min(BLOCK, count)];
    float[] y = new float[x.length];
    for (int done = 0; done < count; done += BLOCK) {
      int n = Math.min(BLOCK, count - done);
      System.arraycopy(a, from + done, x, 0, n);
      System.arraycopy(b, fromB + done, y, 0, n);
      loop.run(x, y, n);
      System.arraycopy(x, 0, a, from + done, n);
    }
  }

  private static double sum(float[] a, int from, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double s4 = 0;
    double s5 = 0;
    double s6 = 0;
    double s7 = 0;
    int end = from + count;
    int i = from;
    for (; i + 7 < end; i += 8) {
      s0 += a[i];
      s1 += a[i + 1];
      s2 += a[i + 2];
      s3 += a[i + 3];
      s4 += a[i + 4];
      s5 += a[i + 5];
      s6 += a[i + 6];
      s7 += a[i + 7];
    }
    for (; i < end; i++) {
      s0 += a[i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  private static double sumOfSquares(float[] a, int from, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    double s4 = 0;
    double s5 = 0;
    double s6 = 0;
    double s7 = 0;
    int end = from + count;
    int i = from;
    for (; i + 7 < end; i += 8) {
      s0 += (double) a[i] * a[i];
      s1 += (double) a[i + 1] * a[i + 1];
      s2 += (double) a[i + 2] * a[i + 2];
      s3 += (double) a[i + 3] * a[i + 3];
      s4 += (double) a[i + 4] * a[i + 4];
      s5 += (double) a[i + 5] * a[i + 5];
      s6 += (double) a[i + 6] * a[i + 6];
      s7 += (double) a[i + 7] * a[i + 7];
    }
    for (; i < end; i++) {
      s0 += (double) a[i] * a[i];
    }
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
  }

  /** NaN is passed over: it shows up in what follows. */
  private static float max(float[] a, int from, int count) {
    float m0 = Float.NEGATIVE_INFINITY;
    float m1 = m0;
    float m2 = m0;
    float m3 = m0;
    int end = from + count;
    int i = from;
    for (; i + 3 < end; i += 4) {
      m0 = a[i] > m0 ? a[i] : m0;
      m1 = a[i + 1] > m1 ? a[i + 1] : m1;
      m2 = a[i + 2] > m2 ? a[i + 2] : m2;
      m3 = a[i + 3] > m3 ? a[i + 3] : m3;
    }
    for (; i < end; i++) {
      m0 = a[i] > m0 ? a[i] : m0;
    }
    return Math.max(Math.max(m0, m1), Math.max(m2, m3));
  }

  /** Hyperbolic tangent; near zero its Taylor series, which keeps the relative error small. */
  private static float tanh(float x) {
    float square = x * x;
    if (square < 0.0625f) {
      float p = 62f / 2835;
      p = p * square - 17f / 315;
      p = p * square + 2f / 15;
      p = p * square - 1f / 3;
      return x + x * square * p;
    }
    double t = Math.exp(-2 * Math.abs(x));
    return Math.copySign((float) ((1 - t) / (1 + t)), x);
  }
}
