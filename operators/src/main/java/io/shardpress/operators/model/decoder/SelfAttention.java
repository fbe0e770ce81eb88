package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
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
  private SelfAttention() {}

  /** Normalized {@code x [sequences * length, hidden]} → what the block adds, a new matrix. */
  static INDArray apply(
      AttentionSpec spec, INDArray x, int length, WeightSource weights, InputObserver observer) {
    observer.observe(spec.qkv().input(), x);
    try (INDArray context = context(spec, x, length, weights)) {
      observer.observe(spec.output().ownInput(), context);
      return Linears.apply(spec.output(), context, weights);
    }
  }

  private static INDArray context(
      AttentionSpec spec, INDArray x, int length, WeightSource weights) {
    Optional<RotaryTable> rotary = spec.rotary().map(r -> new RotaryTable(r, length));
    HeadRows queries =
        new HeadRows(norm(spec, HeadNorms::query, weights), rotary, (float) spec.scale());
    HeadRows keys = new HeadRows(norm(spec, HeadNorms::key, weights), rotary, 1f);
    CausalHeads heads = new CausalHeads(spec, length, queries, keys);
    List<INDArray> projected = new ArrayList<>();
    try {
      for (LinearSpec linear : spec.qkv().linears()) {
        projected.add(Linears.apply(linear, x, weights));
      }
      INDArray context = Floats.uninitialized(Floats.rows(x), spec.shape().queryWidth());
      for (int first = 0; first < Floats.rows(x); first += length) {
        heads.apply(projected, first, context);
      }
      return context;
    } finally {
      projected.forEach(INDArray::close);
    }
  }

  private static Optional<Norm> norm(
      AttentionSpec spec, Function<HeadNorms, NormSpec> which, WeightSource weights) {
    return spec.headNorms()
        .map(norms -> Norm.load(which.apply(norms), spec.shape().headSize(), weights));
  }
}
