package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.decoder.Scratch.Use;
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
   * Adds the output for {@code x [tokens, hidden]} to {@code sum [tokens, hidden]}.
   *
   * @param input under which id the network's input is observed
   */
  static void add(
      MlpSpec spec,
      String input,
      Slices slices,
      INDArray x,
      INDArray sum,
      WeightSource weights,
      InputObserver observer) {
    try (Linears linears = new Linears(spec.linears(), weights);
        Scratch scratch = new Scratch(weights.precision())) {
      Mlp mlp = new Mlp(spec, input, linears, scratch, observer);
      slices.add(x, sum, 1, scratch, mlp::slice);
    }
  }

  private void slice(INDArray x, Block sum) {
    observer.observe(input, x);
    INDArray inner = inner(x);
    observer.observe(spec.down().ownInput(), inner);
    if (observer.wantsOutput()) {
      linears.add(spec.entries().size(), inner, sum);
    }
  }

  /** What the way down reads. */
  private INDArray inner(INDArray x) {
    Activation activation = spec.activation();
    int width = Math.toIntExact(spec.down().in());
    INDArray inner = scratch.operand(Use.INNER, Floats.rows(x), width);
    if (spec instanceof MlpSpec.Gated) {
      gated(x, inner);
    } else if (spec instanceof MlpSpec.FusedGated) {
      RowChunks.map(
          applied(0, x, Use.FIRST),
          (values, at, source, from) -> {
            System.arraycopy(source, from, values, at, width);
            activation.apply(values, at, width);
            RowLoops.multiply(values, at, source, from + width, width);
          },
          inner);
    } else {
      Block first = Block.all(applied(0, x, Use.FIRST));
      RowChunks.edit(first, (values, from) -> activation.apply(values, from, width), inner, 0);
    }
    return inner;
  }

  private void gated(INDArray x, INDArray inner) {
    if (linears.canGate(0) && linears.canGate(1)) {
      linears.gated(0, x, spec.activation(), 1, inner);
      return;
    }
    INDArray factors = applied(1, x, Use.SECOND);
    int width = Floats.columns(factors);
    RowChunks.update(
        applied(0, x, Use.FIRST),
        factors,
        (values, at, by, from) -> {
          spec.activation().apply(values, at, width);
          RowLoops.multiply(values, at, by, from, width);
        },
        inner);
  }

  private INDArray applied(int linear, INDArray x, Use use) {
    INDArray y = scratch.floats(use, Floats.rows(x), linears.out(linear));
    linears.apply(linear, x, y);
    return y;
  }
}
