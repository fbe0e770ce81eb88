package io.shardpress.operators.compression;

/**
 * How far a row's layer loss {@code Δ G Δᵀ} falls, and whether it does. From {@code Δ₀} to {@code
 * Δ} it falls by {@code (Δ₀ − Δ) G (Δ₀ + Δ)ᵀ}, which loses nothing to cancellation where the
 * difference of two losses would.
 *
 * <p>Products are summed in F32, so that what is left of a fall may be their rounding. With {@code
 * s = Δ₀ − Δ} and {@code t = Δ₀ + Δ}, {@code |G_ij| ≤ √(G_ii G_jj)}, and errors of one element of
 * {@code tG} independent of another's, that is some units in the last place of {@code √(Σ s_j²
 * G_jj) · Σ |t_j| √G_jj}.
 */
final class RowGain {
  /** Eight units in the last place. */
  private static final double ROUNDING = 0x1p-21;

  private RowGain() {}

  /**
   * Whether the loss surely falls; false where anything is not finite.
   *
   * @param gain {@code s G tᵀ}
   * @param noise {@code Σ s_j² G_jj · (Σ |t_j| √G_jj)²}
   */
  static boolean isCertain(double gain, double noise) {
    return gain > ROUNDING * Math.sqrt(noise) && Double.isFinite(gain);
  }

  /** {@code √G_jj}; 0 for dead inputs. */
  static float[] roots(float[] diagonal) {
    float[] roots = new float[diagonal.length];
    for (int j = 0; j < roots.length; j++) {
      roots[j] = diagonal[j] > 0 ? (float) Math.sqrt(diagonal[j]) : 0;
    }
    return roots;
  }

  /** {@code Σ a_j b_j} in F64. Four running sums: one would wait for itself. */
  static double dot(float[] a, float[] b) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int j = 0;
    for (; j < a.length - 3; j += 4) {
      s0 += (double) a[j] * b[j];
      s1 += (double) a[j + 1] * b[j + 1];
      s2 += (double) a[j + 2] * b[j + 2];
      s3 += (double) a[j + 3] * b[j + 3];
    }
    for (; j < a.length; j++) {
      s0 += (double) a[j] * b[j];
    }
    return (s0 + s1) + (s2 + s3);
  }
}
