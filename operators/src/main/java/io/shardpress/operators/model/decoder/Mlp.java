package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.Activation;
import io.shardpress.operators.model.description.MlpSpec;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A dense feed-forward network. */
final class Mlp {
  private Mlp() {}

  /** {@code x [tokens, hidden] → [tokens, hidden]}, a new matrix; the caller has observed x. */
  static INDArray apply(MlpSpec spec, INDArray x, WeightSource weights, InputObserver observer) {
    try (INDArray inner = inner(spec, x, weights)) {
      observer.observe(spec.down().ownInput(), inner);
      return Linears.apply(spec.down(), inner, weights);
    }
  }

  private static INDArray inner(MlpSpec spec, INDArray x, WeightSource weights) {
    if (spec instanceof MlpSpec.Gated gated) {
      INDArray gate = Linears.apply(gated.gate(), x, weights);
      int width = Floats.columns(gate);
      try (INDArray up = Linears.apply(gated.up(), x, weights)) {
        RowChunks.update(
            gate,
            up,
            (target, at, source, from) -> {
              activate(spec.activation(), target, at, width);
              RowLoops.multiply(target, at, source, from, width);
            });
      }
      return gate;
    }
    if (spec instanceof MlpSpec.FusedGated fused) {
      try (INDArray gateUp = Linears.apply(fused.gateUp(), x, weights)) {
        int width = Floats.columns(gateUp) / 2;
        return RowChunks.map(
            gateUp,
            width,
            (target, at, source, from) -> {
              System.arraycopy(source, from, target, at, width);
              activate(spec.activation(), target, at, width);
              RowLoops.multiply(target, at, source, from + width, width);
            });
      }
    }
    MlpSpec.Plain plain = (MlpSpec.Plain) spec;
    INDArray up = Linears.apply(plain.up(), x, weights);
    int width = Floats.columns(up);
    RowChunks.edit(up, (values, from) -> activate(spec.activation(), values, from, width));
    return up;
  }

  private static void activate(Activation activation, float[] values, int from, int count) {
    switch (activation) {
      case SILU -> RowLoops.silu(values, from, count);
      case GELU -> RowLoops.gelu(values, from, count);
      case GELU_TANH -> RowLoops.geluTanh(values, from, count);
      case QUICK_GELU -> RowLoops.quickGelu(values, from, count);
      case RELU -> RowLoops.relu(values, from, count);
    }
  }
}
