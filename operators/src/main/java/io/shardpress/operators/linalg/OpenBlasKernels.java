package io.shardpress.operators.linalg;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.LAPACKE_dgesdd;
import static org.bytedeco.openblas.global.openblas.LAPACKE_dsyevd;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_strtri;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import io.shardpress.common.error.NumericalException;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** OpenBLAS through its C interfaces, pinned to one thread. */
final class OpenBlasKernels implements MatrixKernels {
  private final JavaKernels loops = new JavaKernels();

  /** Loads the library; throws {@link LinkageError} where that is not possible. */
  OpenBlasKernels() {
    // ND4J, when it starts, gives the same library a thread per core: it has to start before.
    Nd4j.factory().blas();
    openblas.blas_set_num_threads(1);
  }

  @Override
  public String description() {
    int threads = openblas.blas_get_num_threads();
    return "%s (%s), %d thread%s per call"
        .formatted(
            openblas.OPENBLAS_VERSION.strip(), instructionSet(), threads, threads == 1 ? "" : "s");
  }

  /** What the library goes by when it picks its kernels. */
  private static String instructionSet() {
    String forced = System.getenv("OPENBLAS_CORETYPE");
    if (forced != null) {
      return forced;
    }
    return switch (NativeOpsHolder.getInstance().getDeviceNativeOps().optimalLevel()) {
      case 3 -> "AVX-512";
      case 2 -> "AVX2";
      default -> System.getProperty("os.arch");
    };
  }

  @Override
  public boolean multipliesBf16() {
    return false;
  }

  @Override
  public void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
    requireReach(a);
    requireReach(b);
    requireReach(c);
    cblas_sgemm(
        CblasRowMajor,
        code(formA),
        code(formB),
        c.rows(),
        c.columns(),
        formA == Form.PLAIN ? a.columns() : a.rows(),
        update == Update.SUBTRACT ? -1f : 1f,
        (FloatPointer) a.pointer(),
        a.stride(),
        (FloatPointer) b.pointer(),
        b.stride(),
        update == Update.SET ? 0f : 1f,
        (FloatPointer) c.pointer(),
        c.stride());
  }

  /**
   * OpenBLAS 0.3.31 counts the elements from a small operand's first to its last in 32 bits, and
   * crashes beyond. Half the rows of a factor of 65,536 columns are still within.
   */
  private static void requireReach(Block block) {
    if ((block.rows() - 1L) * block.stride() + block.columns() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "OpenBLAS does not reach over %d rows that lie %d elements apart"
              .formatted(block.rows(), block.stride()));
    }
  }

  private static int code(Form form) {
    return form == Form.PLAIN ? CblasNoTrans : CblasTrans;
  }

  @Override
  public void gated(Block a, Block b, Activation activation, Block factors, Block c) {
    loops.gated(a, b, activation, factors, c);
  }

  @Override
  public void round(Block floats, Block bfloats) {
    loops.round(floats, bfloats);
  }

  @Override
  public void widen(Block bfloats, Block floats) {
    loops.widen(bfloats, floats);
  }

  @Override
  public void transpose(Block bfloats, Block into) {
    loops.transpose(bfloats, into);
  }

  @Override
  public void softmax(Block from, Block into) {
    loops.softmax(from, into);
  }

  /** A row-major lower triangle is a column-major upper one: A = L Lᵀ = Uᵀ U. */
  @Override
  public int choleskyLower(int n, FloatPointer a) {
    return LAPACKE_spotrf(LAPACK_COL_MAJOR, (byte) 'U', n, a, n);
  }

  @Override
  public void invertLower(int n, FloatPointer a) {
    int singular = LAPACKE_strtri(LAPACK_COL_MAJOR, (byte) 'U', (byte) 'N', n, a, n);
    if (singular != 0) {
      throw new NotPositiveDefiniteException(singular);
    }
  }

  /** A column of eigenvectors in column-major order is a row in ours. */
  @Override
  public void symmetricEigen(int n, double[] a, double[] values) {
    requireConverged(
        LAPACKE_dsyevd(LAPACK_COL_MAJOR, (byte) 'V', (byte) 'U', n, a, n, values), "eigenvalues");
  }

  /** Row-major A is column-major Aᵀ = V S Uᵀ: the two sides change places. */
  @Override
  public void singularValues(int m, int n, double[] a, double[] u, double[] values, double[] vt) {
    requireConverged(
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, (byte) 'S', n, m, a, n, values, vt, n, u, Math.min(m, n)),
        "singular values");
  }

  private static void requireConverged(int status, String what) {
    if (status != 0) {
      throw new NumericalException(
          "LAPACK found no %s (status %d): the matrix holds NaN, infinities or numbers too far apart. Calibrate again, or leave the layer out."
              .formatted(what, status));
    }
  }
}
