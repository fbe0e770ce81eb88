package io.shardpress.jobs.model;

import io.shardpress.operators.linalg.BFloats;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Weights for a BF16 forward pass. */
final class Rounded {
  private Rounded() {}

  /** {@code weight} if it is BF16, else rounded to it and closed; the caller closes the result. */
  static INDArray orAsItIs(INDArray weight) {
    if (BFloats.isBf16(weight)) {
      return weight;
    }
    try (weight) {
      return BFloats.rounded(weight);
    }
  }
}
