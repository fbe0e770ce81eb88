package io.shardpress.common.tensor;

import java.io.Serializable;
import java.util.List;

/**
 * Name, element type and shape of a tensor that is stored or will be stored.
 *
 * @param name full tensor name, e.g. {@code model.layers.0.mlp.down_proj.weight}
 * @param shape dimensions, outermost first; empty for a scalar
 */
public record TensorSpec(String name, DType dtype, List<Long> shape) implements Serializable {
  public TensorSpec {
    shape = List.copyOf(shape);
    if (shape.stream().anyMatch(dimension -> dimension < 0)) {
      throw new IllegalArgumentException("Negative dimension in shape " + shape + " of " + name);
    }
  }

  public static TensorSpec of(String name, DType dtype, long... shape) {
    return new TensorSpec(name, dtype, java.util.Arrays.stream(shape).boxed().toList());
  }

  /** Number of elements; throws {@link ArithmeticException} when it does not fit a long. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** Bytes of data, without header. */
  public long bytes() {
    return Math.multiplyExact(elements(), dtype.bits()) / 8;
  }
}
