package io.shardpress.operators.linalg;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.CblasUpper;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_strtri;
import static org.bytedeco.openblas.global.openblas.LAPACK_ROW_MAJOR;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas.cblas_ssyrk;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.factory.Nd4j;

/** OpenBLAS through its C interfaces, pinned to one thread. */
final class OpenBlasKernels implements MatrixKernels {

  /** Loads the library; throws {@link LinkageError} where that is not possible. */
  OpenBlasKernels() {
    // ND4J, when it starts, gives the same library a thread per core: it has to start before.
    Nd4j.factory().blas();
    openblas.blas_set_num_threads(1);
  }

  @Override
  public String description() {
    int threads = openblas.blas_get_num_threads();
    return "%s, %d thread%s"
        .formatted(openblas.OPENBLAS_VERSION.strip(), threads, threads == 1 ? "" : "s");
  }

  @Override
  public void multiply(
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
      int ldc) {
    cblas_sgemm(
        CblasRowMajor, code(formA), code(formB), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  }

  @Override
  public void addGramUpper(int n, int m, FloatPointer x, FloatPointer g) {
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, n, m, 1f, x, n, 1f, g, n);
  }

  @Override
  public int choleskyLower(int n, FloatPointer a) {
    return LAPACKE_spotrf(LAPACK_ROW_MAJOR, (byte) 'L', n, a, n);
  }

  @Override
  public void invertLower(int n, FloatPointer a) {
    int singular = LAPACKE_strtri(LAPACK_ROW_MAJOR, (byte) 'L', (byte) 'N', n, a, n);
    if (singular != 0) {
      throw new NotPositiveDefiniteException(singular);
    }
  }

  private static int code(Form form) {
    return form == Form.PLAIN ? CblasNoTrans : CblasTrans;
  }
}
