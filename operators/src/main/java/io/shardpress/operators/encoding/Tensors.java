package io.shardpress.operators.encoding;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.util.Map;

/** Tensors that must be there as planned. */
final class Tensors {
  private Tensors() {}

  static RawTensor require(Map<String, RawTensor> tensors, TensorSpec planned) {
    RawTensor found = tensors.get(planned.name());
    if (found == null) {
      throw new InputException(
          "The tensor %s is missing. The checkpoint is incomplete: compress again, or fetch it again."
              .formatted(planned.name()));
    }
    if (!found.spec().equals(planned)) {
      throw new InputException(
          "The tensor %s is %s %s, but its scheme makes it %s %s. The configuration and the weights do not belong together."
              .formatted(
                  planned.name(),
                  found.spec().dtype(),
                  found.spec().shape(),
                  planned.dtype(),
                  planned.shape()));
    }
    return found;
  }
}
