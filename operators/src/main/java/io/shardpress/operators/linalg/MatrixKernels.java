package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.FloatPointer;

/**
 * What a numerics provider must offer, on row-major F32 memory. {@link JavaKernels} defines the
 * result; the others are checked against it.
 */
sealed interface MatrixKernels permits OpenBlasKernels, JavaKernels {

  /** How an operand is read. */
  enum Form {
    PLAIN,
    TRANSPOSED
  }

  /** Name and instruction set, for run records. */
  String description();

  /**
   * {@code c = beta * c + alpha * op(a) * op(b)} with {@code c [m, n]} and inner width {@code k}.
   *
   * @param lda elements between rows of {@code a} as stored; likewise {@code ldb}, {@code ldc}
   */
  void multiply(
      Form formA,
      Form formB,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int lda,
      FloatPointer b,
      int ldb,
      float beta,
      FloatPointer c,
      int ldc);

  /** Upper triangle of {@code g [n, n] += xᵀ x} with {@code x [m, n]}. */
  void addGramUpper(int n, int m, FloatPointer x, FloatPointer g);

  /**
   * Lower Cholesky factor in place: the lower triangle of {@code a [n, n]} becomes L with A = L Lᵀ.
   *
   * @return 0, or the 1-based order of the leading minor that is not positive definite
   */
  int choleskyLower(int n, FloatPointer a);

  /** Inverts a lower triangular matrix with a non-zero diagonal in place. */
  void invertLower(int n, FloatPointer a);
}
