package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.decoder.Scratch.Use;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.AttentionSpec.HeadNorms;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.NormSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The attention half of a block, around {@link CausalHeads}. */
final class SelfAttention {
  /** Where the outputs of up to three qkv linears go. */
  private static final List<Use> PROJECTED = List.of(Use.FIRST, Use.SECOND, Use.THIRD);

  private final AttentionSpec spec;
  private final int length;
  private final Linears linears;
  private final CausalHeads heads;
  private final Scratch scratch;
  private final InputObserver observer;

  private SelfAttention(
      AttentionSpec spec,
      int length,
      Linears linears,
      CausalHeads heads,
      Scratch scratch,
      InputObserver observer) {
    this.spec = spec;
    this.length = length;
    this.linears = linears;
    this.heads = heads;
    this.scratch = scratch;
    this.observer = observer;
  }

  /** {@code x [sequences * length, hidden]} → what the block adds, a new matrix. */
  static INDArray apply(
      AttentionSpec spec,
      Slices slices,
      INDArray x,
      int length,
      WeightSource weights,
      InputObserver observer) {
    Optional<RotaryTable> rotary = spec.rotary().map(r -> new RotaryTable(r, length));
    HeadRows queries =
        new HeadRows(norm(spec, HeadNorms::query, weights), rotary, (float) spec.scale());
    HeadRows keys = new HeadRows(norm(spec, HeadNorms::key, weights), rotary, 1f);
    try (Linears linears = new Linears(linears(spec), weights);
        CausalHeads heads = new CausalHeads(spec, length, queries, keys, weights.precision());
        Scratch scratch = new Scratch(weights.precision())) {
      SelfAttention attention = new SelfAttention(spec, length, linears, heads, scratch, observer);
      int out = Math.toIntExact(spec.output().out());
      return slices.apply(x, out, length, scratch, attention::slice);
    }
  }

  private static List<LinearSpec> linears(AttentionSpec spec) {
    List<LinearSpec> linears = new ArrayList<>(spec.qkv().linears());
    linears.add(spec.output());
    return linears;
  }

  private static Optional<Norm> norm(
      AttentionSpec spec, Function<HeadNorms, NormSpec> which, WeightSource weights) {
    return spec.headNorms()
        .map(norms -> Norm.load(which.apply(norms), spec.shape().headSize(), weights));
  }

  private INDArray slice(INDArray x) {
    int rows = Floats.rows(x);
    INDArray entry = scratch.operand(Use.ROUNDED_INPUT, x);
    observer.observe(spec.qkv().input(), entry);
    int output = spec.qkv().linears().size();
    List<INDArray> projected = new ArrayList<>();
    for (int i = 0; i < output; i++) {
      INDArray y = scratch.floats(PROJECTED.get(i), rows, linears.out(i));
      linears.apply(i, entry, y);
      projected.add(y);
    }
    INDArray context = scratch.floats(Use.INNER, rows, spec.shape().queryWidth());
    for (int first = 0; first < rows; first += length) {
      heads.apply(projected, first, context);
    }
    INDArray attended = scratch.operand(Use.ROUNDED_INNER, context);
    observer.observe(spec.output().ownInput(), attended);
    INDArray y = scratch.floats(Use.OUTPUT, rows, linears.out(output));
    linears.apply(output, attended, y);
    return y;
  }
}
