package io.shardpress.operators.linalg;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.LAPACKE_spotrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_strtri;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;
import org.nd4j.linalg.factory.Nd4j;

/** OpenBLAS through its C interfaces, pinned to one thread. */
final class OpenBlasKernels implements MatrixKernels {
  private final JavaKernels conversions = new JavaKernels();

  /** Loads the library; throws {@link LinkageError} where that is not possible. */
  OpenBlasKernels() {
    // ND4J, when it starts, gives the same library a thread per core: it has to start before.
    Nd4j.factory().blas();
    openblas.blas_set_num_threads(1);
  }

  @Override
  public String description() {
    int threads = openblas.blas_get_num_threads();
    return "%s, %d thread%s per call"
        .formatted(openblas.OPENBLAS_VERSION.strip(), threads, threads == 1 ? "" : "s");
  }

  @Override
  public boolean multipliesBf16() {
    return false;
  }

  @Override
  public void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
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

  private static int code(Form form) {
    return form == Form.PLAIN ? CblasNoTrans : CblasTrans;
  }

  @Override
  public void round(Block floats, Block bfloats) {
    conversions.round(floats, bfloats);
  }

  @Override
  public void widen(Block bfloats, Block floats) {
    conversions.widen(bfloats, floats);
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
}
