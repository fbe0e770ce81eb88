package io.shardpress.operators.linalg;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.javacpp.Pointer;

/**
 * Keeps oneDNN's compiled primitives: making one takes longer than a small product. A primitive
 * works for one thread at a time, so each is taken out, run and put back; the least recently used
 * shapes are dropped.
 */
final class OneDnnEngine {
  private static final int KEPT_SHAPES = 1024;

  private final dnnl_engine cpu = new dnnl_engine();
  private final Map<Object, Deque<OneDnnPrimitive>> idle =
      new LinkedHashMap<>(KEPT_SHAPES, 0.75f, true);

  /** What a product's code depends on. */
  private record ProductShape(
      Form formA, Form formB, Update update, int m, int n, int k, int lda, int ldb, int ldc) {}

  /** What a gated product's code depends on. */
  private record GatedShape(
      Activation activation, int m, int n, int k, int lda, int ldb, int ldf, int ldc) {}

  /** What a conversion's code depends on. */
  private record ReorderShape(
      int typeFrom, int typeTo, Form formTo, int rows, int columns, int from, int to) {}

  /** What the code of a softmax depends on. */
  private record SoftmaxShape(int typeTo, int rows, int columns) {}

  OneDnnEngine() {
    check(dnnl_engine_create(cpu, dnnl_cpu, 0), "engine");
  }

  /** {@code c = op(a) · op(b)}, or added to c: BF16 in, F32 out. */
  void multiply(Form formA, Block a, Form formB, Block b, Update update, Block c) {
    int k = formA == Form.PLAIN ? a.columns() : a.rows();
    ProductShape shape =
        new ProductShape(
            formA, formB, update, c.rows(), c.columns(), k, a.stride(), b.stride(), c.stride());
    run(
        shape,
        () ->
            OneDnnPrimitive.product(
                cpu,
                OneDnnPrimitive.matrix(dnnl_bf16, formA, shape.m, shape.k, shape.lda),
                OneDnnPrimitive.matrix(dnnl_bf16, formB, shape.k, shape.n, shape.ldb),
                OneDnnPrimitive.matrix(dnnl_f32, Form.PLAIN, shape.m, shape.n, shape.ldc),
                update),
        a.pointer(),
        b.pointer(),
        c.pointer());
  }

  /** {@code c = activation(a · bᵀ) ∘ factors}: BF16 a, b and c, F32 factors. */
  void gated(Block a, Block b, Activation activation, Block factors, Block c) {
    GatedShape shape =
        new GatedShape(
            activation,
            c.rows(),
            c.columns(),
            a.columns(),
            a.stride(),
            b.stride(),
            factors.stride(),
            c.stride());
    run(
        shape,
        () ->
            OneDnnPrimitive.gated(
                cpu,
                activation,
                OneDnnPrimitive.matrix(dnnl_bf16, Form.PLAIN, shape.m, shape.k, shape.lda),
                OneDnnPrimitive.matrix(dnnl_bf16, Form.TRANSPOSED, shape.k, shape.n, shape.ldb),
                OneDnnPrimitive.matrix(dnnl_bf16, Form.PLAIN, shape.m, shape.n, shape.ldc),
                OneDnnPrimitive.matrix(dnnl_f32, Form.PLAIN, shape.m, shape.n, shape.ldf)),
        a.pointer(),
        b.pointer(),
        c.pointer(),
        factors.pointer());
  }

  /** Copies, between F32 and BF16 or within one. */
  void reorder(Block from, Block to) {
    reorder(from, Form.PLAIN, to);
  }

  /** {@code to = fromᵀ}. */
  void transpose(Block from, Block to) {
    reorder(from, Form.TRANSPOSED, to);
  }

  private void reorder(Block from, Form formTo, Block to) {
    ReorderShape shape =
        new ReorderShape(
            type(from), type(to), formTo, from.rows(), from.columns(), from.stride(), to.stride());
    run(
        shape,
        () ->
            OneDnnPrimitive.reorder(
                cpu,
                OneDnnPrimitive.matrix(
                    shape.typeFrom, Form.PLAIN, shape.rows, shape.columns, shape.from),
                OneDnnPrimitive.matrix(
                    shape.typeTo, shape.formTo, shape.rows, shape.columns, shape.to)),
        from.pointer(),
        to.pointer());
  }

  private static int type(Block block) {
    return BFloats.isBf16(block.matrix()) ? dnnl_bf16 : dnnl_f32;
  }

  /** Softmax of the rows of whole matrices. */
  void softmax(Block from, Block into) {
    SoftmaxShape shape = new SoftmaxShape(type(into), from.rows(), from.columns());
    run(
        shape,
        () ->
            OneDnnPrimitive.softmax(
                cpu,
                OneDnnPrimitive.matrix(
                    dnnl_f32, Form.PLAIN, shape.rows, shape.columns, shape.columns),
                OneDnnPrimitive.matrix(
                    shape.typeTo, Form.PLAIN, shape.rows, shape.columns, shape.columns)),
        from.pointer(),
        into.pointer());
  }

  private void run(Object shape, Supplier<OneDnnPrimitive> maker, Pointer... arguments) {
    OneDnnPrimitive primitive = take(shape).orElseGet(maker);
    primitive.execute(arguments);
    putBack(shape, primitive);
  }

  private synchronized Optional<OneDnnPrimitive> take(Object shape) {
    Deque<OneDnnPrimitive> same = idle.get(shape);
    return same == null ? Optional.empty() : Optional.ofNullable(same.poll());
  }

  private synchronized void putBack(Object shape, OneDnnPrimitive primitive) {
    idle.computeIfAbsent(shape, s -> new ArrayDeque<>()).push(primitive);
    if (idle.size() > KEPT_SHAPES) {
      var eldest = idle.entrySet().iterator();
      eldest.next().getValue().forEach(OneDnnPrimitive::close);
      eldest.remove();
    }
  }

  static void check(int status, String what) {
    if (status != dnnl_success) {
      throw new IllegalStateException("oneDNN refused %s: status %d".formatted(what, status));
    }
  }
}
