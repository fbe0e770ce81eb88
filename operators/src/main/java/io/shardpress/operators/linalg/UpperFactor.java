package io.shardpress.operators.linalg;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The upper Cholesky factor U of an inverse, {@code H⁻¹ = UᵀU}, that GPTQ and SparseGPT sweep with.
 *
 * <p>Found without inverting H: with J the reversal of order, {@code J H J = L Lᵀ} gives {@code U =
 * J L⁻¹ J}. One factorization and one triangular inverse, half the work of invert-then-factor.
 *
 * @param matrix {@code [n, n]}, undefined below the diagonal; owned by this record
 */
public record UpperFactor(INDArray matrix) implements AutoCloseable {

  /**
   * Factors the inverse of a symmetric positive definite {@code h [n, n]} in its own memory: h
   * becomes the factor's matrix. When it fails, h stays the caller's and its content is lost.
   *
   * @throws NotPositiveDefiniteException when {@code h} is not positive definite in F32
   */
  public static UpperFactor ofInverse(INDArray h) {
    Triangles.reverse(h);
    return ofInverseReversed(h);
  }

  /**
   * {@link #ofInverse} given {@code J H J}: H with rows and columns in reversed order.
   *
   * @param reversed only its lower triangle is read
   */
  public static UpperFactor ofInverseReversed(INDArray reversed) {
    try (BlockedCholesky cholesky = new BlockedCholesky(reversed)) {
      cholesky.invertReversed();
    }
    return new UpperFactor(reversed);
  }

  /** Off-heap bytes beside the matrix {@code [n, n]} while it is factored by so many threads. */
  public static long scratchBytes(long n, int threads) {
    return BlockedCholesky.scratchBytes(n, threads);
  }

  @Override
  public void close() {
    matrix.close();
  }
}
