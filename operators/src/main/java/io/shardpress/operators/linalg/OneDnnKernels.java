package io.shardpress.operators.linalg;

import static org.bytedeco.dnnl.global.dnnl.dnnl_sgemm;

import java.util.function.Consumer;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Products by oneDNN, small factorizations by OpenBLAS. oneDNN takes its thread count from OpenMP,
 * which keeps one for every calling thread: each is set to one before its first call.
 */
final class OneDnnKernels implements MatrixKernels {
  /** Elements of BF16 in a row of a processor's matrix tile. */
  private static final int TILE_ROW = 32;

  private final OpenBlasKernels lapack;
  private final NativeOps openMp;
  private final OneDnnEngine engine;
  private final ThreadLocal<NativeOps> pinned = ThreadLocal.withInitial(this::pin);
  private final boolean bf16;

  /** Loads the library; throws {@link LinkageError} where that is not possible. */
  OneDnnKernels() {
    // ND4J brings the OpenMP library that the whole process then shares: it has to start before.
    lapack = new OpenBlasKernels();
    openMp = NativeOpsHolder.getInstance().getDeviceNativeOps();
    engine = new OneDnnEngine();
    bf16 = Isa.effective().hasBf16();
  }

  private NativeOps pin() {
    openMp.setOmpNumThreads(1);
    return openMp;
  }

  /** The engine, once the calling thread is one thread to OpenMP. */
  private OneDnnEngine pinnedEngine() {
    pinned.get();
    return engine;
  }

  @Override
  public String description() {
    dnnl_version_t version = dnnl.dnnl_version();
    return "oneDNN %d.%d.%d (%s), 1 thread per call; LAPACK from %s"
        .formatted(
            version.major(),
            version.minor(),
            version.patch(),
            Isa.effective().label(),
            lapack.description());
  }

  @Override
  public boolean multipliesBf16() {
    return bf16;
  }

  @Override
  public void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
    OneDnnEngine onThisThread = pinnedEngine();
    if (BFloats.isBf16(a.matrix())) {
      if (formA == Form.PLAIN) {
        together(a, rows -> onThisThread.multiply(formA, rows, formB, b, update, c));
      } else {
        onThisThread.multiply(formA, a, formB, b, update, c);
      }
      return;
    }
    int k = formA == Form.PLAIN ? a.columns() : a.rows();
    OneDnnEngine.check(
        dnnl_sgemm(
            code(formA),
            code(formB),
            c.rows(),
            c.columns(),
            k,
            update == Update.SUBTRACT ? -1f : 1f,
            (FloatPointer) a.pointer(),
            a.stride(),
            (FloatPointer) b.pointer(),
            b.stride(),
            update == Update.SET ? 0f : 1f,
            (FloatPointer) c.pointer(),
            c.stride()),
        "sgemm");
  }

  private static byte code(Form form) {
    return (byte) (form == Form.PLAIN ? 'N' : 'T');
  }

  /**
   * oneDNN is a hundred times slower where the rows of factors and result lie differently apart.
   */
  @Override
  public void gated(Block a, Block b, Activation activation, Block factors, Block c) {
    OneDnnEngine onThisThread = pinnedEngine();
    if (factors.stride() == c.stride()) {
      together(a, rows -> onThisThread.gated(rows, b, activation, factors, c));
      return;
    }
    try (INDArray apart = BFloats.uninitialized(c.rows(), factors.stride())) {
      Block result = Block.columns(apart, 0, c.columns());
      gated(a, b, activation, factors, result);
      onThisThread.reorder(result, c);
    }
  }

  /**
   * Runs a product of BF16 rows. On AMX oneDNN 3.11 reads whole tile rows, also behind rows of a
   * matrix that do not fill their last one, and a NaN there gets into the result: such rows are put
   * one behind the other first, which it handles.
   */
  private void together(Block a, Consumer<Block> product) {
    if (a.columns() % TILE_ROW == 0 || a.columns() == a.stride()) {
      product.accept(a);
      return;
    }
    try (INDArray copy = BFloats.uninitialized(a.rows(), a.columns())) {
      Block rows = Block.all(copy);
      pinnedEngine().reorder(a, rows);
      product.accept(rows);
    }
  }

  @Override
  public void round(Block floats, Block bfloats) {
    pinnedEngine().reorder(floats, bfloats);
  }

  @Override
  public void widen(Block bfloats, Block floats) {
    pinnedEngine().reorder(bfloats, floats);
  }

  @Override
  public void transpose(Block bfloats, Block into) {
    pinnedEngine().transpose(bfloats, into);
  }

  @Override
  public void softmax(Block from, Block into) {
    pinnedEngine().softmax(from, into);
  }

  @Override
  public int choleskyLower(int n, FloatPointer a) {
    return lapack.choleskyLower(n, a);
  }

  @Override
  public void invertLower(int n, FloatPointer a) {
    lapack.invertLower(n, a);
  }

  @Override
  public void symmetricEigen(int n, double[] a, double[] values) {
    lapack.symmetricEigen(n, a, values);
  }

  @Override
  public void singularValues(int m, int n, double[] a, double[] u, double[] values, double[] vt) {
    lapack.singularValues(m, n, a, u, values, vt);
  }
}
