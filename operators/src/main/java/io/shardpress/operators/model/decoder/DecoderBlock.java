package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.FeedForwardSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import io.shardpress.operators.model.description.ResidualSpec;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One block's pass over one batch of sequences. */
record DecoderBlock(BlockSpec spec, int length, WeightSource weights, InputObserver observer) {
  private static final Slices AS_THEY_ARE = new Slices(Optional.empty());

  /** Hidden states before the block → those behind it, a new matrix. */
  INDArray apply(INDArray x) {
    if (spec.residual() instanceof ResidualSpec.PreNorm layout) {
      INDArray h = attention(normed(layout.attention(), x), x);
      Hidden.add(h, x);
      addAndClose(h, feedForward(normed(layout.feedForward(), x), h));
      return h;
    }
    if (spec.residual() instanceof ResidualSpec.PostNorm layout) {
      INDArray h = attention(AS_THEY_ARE, x);
      Hidden.add(h, x);
      norm(layout.attention(), x).apply(h);
      addAndClose(h, feedForward(AS_THEY_ARE, h));
      norm(layout.feedForward(), x).apply(h);
      return h;
    }
    if (spec.residual() instanceof ResidualSpec.Sandwich layout) {
      INDArray h = attention(normed(layout.beforeAttention(), x), x);
      norm(layout.afterAttention(), x).apply(h);
      Hidden.add(h, x);
      INDArray f = feedForward(normed(layout.beforeFeedForward(), x), h);
      norm(layout.afterFeedForward(), x).apply(f);
      addAndClose(h, f);
      return h;
    }
    ResidualSpec.Parallel layout = (ResidualSpec.Parallel) spec.residual();
    INDArray h = attention(normed(layout.attention(), x), x);
    addAndClose(h, feedForward(normed(layout.feedForward(), x), x));
    Hidden.add(h, x);
    return h;
  }

  private INDArray attention(Slices slices, INDArray x) {
    return SelfAttention.apply(spec.attention(), slices, x, length, weights, observer);
  }

  private INDArray feedForward(Slices slices, INDArray x) {
    FeedForwardSpec network = spec.feedForward();
    if (network instanceof MlpSpec mlp) {
      return Mlp.apply(mlp, mlp.input(), slices, x, weights, observer);
    }
    ExpertsSpec experts = (ExpertsSpec) network;
    if (slices.before().isEmpty()) {
      return Experts.apply(experts, x, weights, observer);
    }
    try (INDArray normed = slices.before().get().of(x)) {
      return Experts.apply(experts, normed, weights, observer);
    }
  }

  private Slices normed(NormSpec norm, INDArray x) {
    return new Slices(Optional.of(norm(norm, x)));
  }

  private Norm norm(NormSpec norm, INDArray x) {
    return Norm.load(norm, Floats.columns(x), weights);
  }

  private static void addAndClose(INDArray sum, INDArray addend) {
    try (addend) {
      Hidden.add(sum, addend);
    }
  }
}
