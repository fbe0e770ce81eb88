package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.OneDnnEngine.check;
import static org.bytedeco.dnnl.global.dnnl.*;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.Pointer;

/** One compiled oneDNN operation with its arguments; for one thread at a time. */
final class OneDnnPrimitive implements AutoCloseable {
  private final dnnl_primitive primitive = new dnnl_primitive();
  private final dnnl_stream stream = new dnnl_stream();
  private final dnnl_memory[] memories;
  private final dnnl_exec_arg_t arguments;

  private OneDnnPrimitive(
      dnnl_engine cpu, dnnl_primitive_desc description, int[] slots, dnnl_memory_desc... layouts) {
    check(dnnl_primitive_create(primitive, description), "a primitive");
    check(dnnl_stream_create(stream, cpu, dnnl_stream_default_flags), "a stream");
    dnnl_primitive_desc_destroy(description);
    memories = new dnnl_memory[slots.length];
    arguments = new dnnl_exec_arg_t(slots.length);
    for (int i = 0; i < slots.length; i++) {
      memories[i] = new dnnl_memory();
      check(dnnl_memory_create(memories[i], layouts[i], cpu, null), "a memory");
      arguments.position(i).arg(slots[i]).memory(memories[i]);
      dnnl_memory_desc_destroy(layouts[i]);
    }
    arguments.position(0);
  }

  /** The layout of {@code op(x)}, a matrix {@code [rows, columns]} as the product sees it. */
  static dnnl_memory_desc matrix(int type, Form form, int rows, int columns, int stride) {
    dnnl_memory_desc layout = new dnnl_memory_desc();
    long[] strides = form == Form.PLAIN ? new long[] {stride, 1} : new long[] {1, stride};
    check(
        dnnl_memory_desc_create_with_strides(layout, 2, new long[] {rows, columns}, type, strides),
        "a layout");
    return layout;
  }

  /** {@code c = a · b} or {@code c += a · b}; takes the layouts over. */
  static OneDnnPrimitive product(
      dnnl_engine cpu, dnnl_memory_desc a, dnnl_memory_desc b, dnnl_memory_desc c, Update update) {
    dnnl_primitive_attr attributes = new dnnl_primitive_attr();
    check(dnnl_primitive_attr_create(attributes), "attributes");
    switch (update) {
      case SET -> {}
      case ADD -> {
        dnnl_post_ops sum = new dnnl_post_ops();
        check(dnnl_post_ops_create(sum), "post-ops");
        check(dnnl_post_ops_append_sum(sum, 1f, 0, dnnl_f32), "a sum");
        check(dnnl_primitive_attr_set_post_ops(attributes, sum), "post-ops");
        dnnl_post_ops_destroy(sum);
      }
      case SUBTRACT -> throw new IllegalArgumentException("BF16 products are not subtracted");
    }
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_matmul_primitive_desc_create(description, cpu, a, b, null, c, attributes),
        "a BF16 product");
    dnnl_primitive_attr_destroy(attributes);
    int[] slots = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    return new OneDnnPrimitive(cpu, description, slots, a, b, c);
  }

  /** {@code c = activation(a · b) ∘ factors}; takes the layouts over. */
  static OneDnnPrimitive gated(
      dnnl_engine cpu,
      Activation activation,
      dnnl_memory_desc a,
      dnnl_memory_desc b,
      dnnl_memory_desc c,
      dnnl_memory_desc factors) {
    dnnl_post_ops after = new dnnl_post_ops();
    check(dnnl_post_ops_create(after), "post-ops");
    check(
        dnnl_post_ops_append_eltwise(after, code(activation), slope(activation), 0f),
        "an activation");
    check(dnnl_post_ops_append_binary(after, dnnl_binary_mul, factors), "factors");
    dnnl_primitive_attr attributes = new dnnl_primitive_attr();
    check(dnnl_primitive_attr_create(attributes), "attributes");
    check(dnnl_primitive_attr_set_post_ops(attributes, after), "post-ops");
    dnnl_post_ops_destroy(after);
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_matmul_primitive_desc_create(description, cpu, a, b, null, c, attributes),
        "a gated product");
    dnnl_primitive_attr_destroy(attributes);
    int second = DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * 2; // the activation is the first
    int[] slots = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, second | DNNL_ARG_SRC_1};
    return new OneDnnPrimitive(cpu, description, slots, a, b, c, factors);
  }

  private static int code(Activation activation) {
    return switch (activation) {
      case SILU, QUICK_GELU -> dnnl_eltwise_swish;
      case GELU -> dnnl_eltwise_gelu_erf;
      case GELU_TANH -> dnnl_eltwise_gelu_tanh;
      case RELU -> dnnl_eltwise_relu;
    };
  }

  private static float slope(Activation activation) {
    return switch (activation) {
      case SILU -> 1f;
      case QUICK_GELU -> 1.702f;
      case GELU, GELU_TANH, RELU -> 0f;
    };
  }

  /** A copy from one type to another; takes the layouts over. */
  static OneDnnPrimitive reorder(dnnl_engine cpu, dnnl_memory_desc from, dnnl_memory_desc to) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_reorder_primitive_desc_create(description, from, cpu, to, cpu, null), "a conversion");
    int[] slots = {DNNL_ARG_FROM, DNNL_ARG_TO};
    return new OneDnnPrimitive(cpu, description, slots, from, to);
  }

  /** Softmax along the rows; takes the layouts over. */
  static OneDnnPrimitive softmax(dnnl_engine cpu, dnnl_memory_desc from, dnnl_memory_desc to) {
    dnnl_primitive_desc description = new dnnl_primitive_desc();
    check(
        dnnl_softmax_forward_primitive_desc_create(
            description, cpu, dnnl_forward_inference, dnnl_softmax_accurate, from, to, 1, null),
        "a softmax");
    return new OneDnnPrimitive(cpu, description, new int[] {DNNL_ARG_SRC, DNNL_ARG_DST}, from, to);
  }

  /** Runs on the data at these addresses, in the order of the layouts. */
  void execute(Pointer... data) {
    for (int i = 0; i < memories.length; i++) {
      check(dnnl_memory_set_data_handle(memories[i], data[i]), "an address");
    }
    check(dnnl_primitive_execute(primitive, stream, memories.length, arguments), "to execute");
    check(dnnl_stream_wait(stream), "to wait");
  }

  @Override
  public void close() {
    for (dnnl_memory memory : memories) {
      dnnl_memory_destroy(memory);
    }
    dnnl_stream_destroy(stream);
    dnnl_primitive_destroy(primitive);
    arguments.close();
  }
}
