package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Block;
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

  /** Adds the output for {@code x [sequences * length, hidden]} to {@code sum}. */
  static void add(
      AttentionSpec spec,
      Slices slices,
      INDArray x,
      INDArray sum,
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
      slices.add(x, sum, length, scratch, attention::slice);
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

  private void slice(INDArray x, Block sum) {
    int rows = Floats.rows(x);
    observer.observe(spec.qkv().input(), x);
    int output = spec.qkv().linears().size();
    List<INDArray> projected = new ArrayList<>();
    for (int i = 0; i < output; i++) {
      INDArray y = scratch.floats(PROJECTED.get(i), rows, linears.out(i));
      linears.apply(i, x, y);
      projected.add(y);
    }
    INDArray context = scratch.operand(Use.INNER, rows, spec.shape().queryWidth());
    try (RowWriter writer = new RowWriter(context, length)) {
      for (int first = 0; first < rows; first += length) {
        writer.write(first, length, heads.apply(projected, first));
      }
    }
    observer.observe(spec.output().ownInput(), context);
    linears.add(output, context, sum);
  }
}
