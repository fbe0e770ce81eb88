package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.FloatPointer;

/**
 * What a numerics provider must offer, on row-major memory. {@link JavaKernels} defines the result;
 * the others are checked against it. Calls run on the calling thread alone, and any number of
 * threads may call.
 */
sealed interface MatrixKernels permits OneDnnKernels, OpenBlasKernels, JavaKernels {

  /** How an operand is read. */
  enum Form {
    PLAIN,
    TRANSPOSED
  }

  /** What happens to the target of a product. */
  enum Update {
    SET,
    ADD,
    SUBTRACT
  }

  /** Provider, version and instruction set, for run records. */
  String description();

  /** Whether {@link #multiply} takes BF16 operands, faster than it takes F32. */
  boolean multipliesBf16();

  /**
   * {@code c (= | += | -=) op(a) · op(b)} with F32 {@code c [m, n]}, both operands F32 or, where
   * {@link #multipliesBf16} and the update is no subtraction, both BF16. Sums are F32.
   */
  void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c);

  /**
   * BF16 {@code c [m, n] = activation(a [m, k] · b [n, k]ᵀ) ∘ factors}, with BF16 a and b and F32
   * factors {@code [m, n]}.
   */
  void gated(Block a, Block b, Activation activation, Block factors, Block c);

  /** Rounds a block of F32 to one of BF16, half to even. */
  void round(Block floats, Block bfloats);

  /** Widens a block of BF16 to one of F32. */
  void widen(Block bfloats, Block floats);

  /** {@code into = bfloatsᵀ}, both BF16. */
  void transpose(Block bfloats, Block into);

  /**
   * Softmax of every row of {@code from}, F32, into {@code into}, F32 or BF16. Both have the shape
   * of their whole matrices. An element of minus infinity gets weight zero; a row has another one.
   */
  void softmax(Block from, Block into);

  /**
   * Lower Cholesky factor in place: the lower triangle of {@code a [n, n]} becomes L with A = L Lᵀ.
   *
   * @return 0, or the 1-based order of the leading minor that is not positive definite
   */
  int choleskyLower(int n, FloatPointer a);

  /** Inverts a lower triangular matrix with a non-zero diagonal in place. */
  void invertLower(int n, FloatPointer a);

  /**
   * Eigenvalues, ascending, and eigenvectors of the symmetric {@code a [n, n]}, whose rows become
   * the eigenvectors.
   */
  void symmetricEigen(int n, double[] a, double[] values);

  /**
   * Thin decomposition {@code a [m, n] = u · diag(values) · vt} with {@code k = min(m, n)}, values
   * descending.
   *
   * @param a overwritten
   * @param u receives {@code [m, k]}
   * @param vt receives {@code [k, n]}
   */
  void singularValues(int m, int n, double[] a, double[] u, double[] values, double[] vt);
}
