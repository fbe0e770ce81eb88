package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import java.util.Optional;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a step is given of one linear, or of a slice of its rows.
 *
 * @param module the linear's name, for messages
 * @param type the type of the weight in its checkpoint, which scales are stored in
 * @param dense F32 or BF16 {@code [out, in]}, the weight in the checkpoint; borrowed
 * @param before what the steps before this one left, where there were any
 * @param zeros {@code KEEP} where one of them pruned
 */
public record LinearWeight(
    String module, DType type, INDArray dense, Optional<CompressedWeight> before, Zeros zeros) {

  /** One that no step has changed. */
  public static LinearWeight of(String module, INDArray dense, DType type) {
    return new LinearWeight(module, type, dense, Optional.empty(), Zeros.FREE);
  }

  /** Lends the weight that the step starts from, F32 or BF16. */
  <T> T current(Function<INDArray, T> use) {
    if (before.isEmpty()) {
      return use.apply(dense);
    }
    try (INDArray matrix = before.get().matrix()) {
      return use.apply(matrix);
    }
  }

  /** {@link #current}, widened to F32 where it is BF16. */
  <T> T currentFloats(Function<INDArray, T> use) {
    return current(
        weight -> {
          if (!BFloats.isBf16(weight)) {
            return use.apply(weight);
          }
          try (INDArray wide = BFloats.widened(weight)) {
            return use.apply(wide);
          }
        });
  }
}
