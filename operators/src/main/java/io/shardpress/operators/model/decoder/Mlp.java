package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.decoder.Scratch.Use;
import io.shardpress.operators.model.description.Activation;
import io.shardpress.operators.model.description.MlpSpec;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A dense feed-forward network: entries first, the last linear is the way down. */
final class Mlp {
  private final MlpSpec spec;
  private final String input;
  private final Linears linears;
  private final Scratch scratch;
  private final InputObserver observer;

  private Mlp(
      MlpSpec spec, String input, Linears linears, Scratch scratch, InputObserver observer) {
    this.spec = spec;
    this.input = input;
    this.linears = linears;
    this.scratch = scratch;
    this.observer = observer;
  }

  /**
   * {@code x [tokens, hidden] → [tokens, hidden]}, a new matrix.
   *
   * @param input under which id the network's input is observed
   */
  static INDArray apply(
      MlpSpec spec,
      String input,
      Slices slices,
      INDArray x,
      WeightSource weights,
      InputObserver observer) {
    try (Linears linears = new Linears(spec.linears(), weights);
        Scratch scratch = new Scratch(weights.precision())) {
      Mlp mlp = new Mlp(spec, input, linears, scratch, observer);
      return slices.apply(x, Math.toIntExact(spec.down().out()), 1, scratch, mlp::slice);
    }
  }

  private INDArray slice(INDArray x) {
    INDArray entry = scratch.operand(Use.ROUNDED_INPUT, x);
    observer.observe(input, entry);
    INDArray inner = scratch.operand(Use.ROUNDED_INNER, inner(entry));
    observer.observe(spec.down().ownInput(), inner);
    return applied(linears(), inner, Use.OUTPUT);
  }

  /** Index of the way down. */
  private int linears() {
    return spec.entries().size();
  }

  private INDArray inner(INDArray x) {
    Activation activation = spec.activation();
    INDArray first = applied(0, x, Use.FIRST);
    int width = Floats.columns(first);
    if (spec instanceof MlpSpec.Gated) {
      RowChunks.update(
          first,
          applied(1, x, Use.SECOND),
          (target, at, source, from) -> {
            activate(activation, target, at, width);
            RowLoops.multiply(target, at, source, from, width);
          });
      return first;
    }
    if (spec instanceof MlpSpec.FusedGated) {
      INDArray inner = scratch.floats(Use.INNER, Floats.rows(x), width / 2);
      RowChunks.update(
          inner,
          first,
          (target, at, source, from) -> {
            System.arraycopy(source, from, target, at, width / 2);
            activate(activation, target, at, width / 2);
            RowLoops.multiply(target, at, source, from + width / 2, width / 2);
          });
      return inner;
    }
    RowChunks.edit(first, (values, from) -> activate(activation, values, from, width));
    return first;
  }

  private INDArray applied(int linear, INDArray x, Use use) {
    INDArray y = scratch.floats(use, Floats.rows(x), linears.out(linear));
    linears.apply(linear, x, y);
    return y;
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
