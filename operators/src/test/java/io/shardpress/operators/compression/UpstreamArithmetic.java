package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Round-to-nearest with every intermediate in the weight's type, as compressed-tensors does it. */
public final class UpstreamArithmetic {
  private UpstreamArithmetic() {}

  public static QuantizedWeight rtn(Rtn settings, INDArray weight, DType weightType) {
    try (Solver solver =
        new RtnSolver(settings, Optional.empty(), RtnSolver.Arithmetic.WEIGHT_TYPE)) {
      return solver.compress("m", weight, weightType).quantized();
    }
  }
}
