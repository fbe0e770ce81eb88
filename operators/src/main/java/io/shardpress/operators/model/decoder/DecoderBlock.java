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
import org.nd4j.linalg.api.ndarray.INDArray;

/** One block's pass over one batch of sequences. */
record DecoderBlock(BlockSpec spec, int length, WeightSource weights, InputObserver observer) {

  /** Hidden states before the block → those behind it, a new matrix. */
  INDArray apply(INDArray x) {
    if (spec.residual() instanceof ResidualSpec.PreNorm layout) {
      INDArray h = attention(layout.attention(), x);
      Hidden.add(h, x);
      addAndClose(h, feedForward(layout.feedForward(), h));
      return h;
    }
    if (spec.residual() instanceof ResidualSpec.PostNorm layout) {
      INDArray h = attention(x);
      Hidden.add(h, x);
      norm(layout.attention(), x).apply(h);
      addAndClose(h, feedForward(h));
      norm(layout.feedForward(), x).apply(h);
      return h;
    }
    if (spec.residual() instanceof ResidualSpec.Sandwich layout) {
      INDArray h = attention(layout.beforeAttention(), x);
      norm(layout.afterAttention(), x).apply(h);
      Hidden.add(h, x);
      INDArray f = feedForward(layout.beforeFeedForward(), h);
      norm(layout.afterFeedForward(), x).apply(f);
      addAndClose(h, f);
      return h;
    }
    ResidualSpec.Parallel layout = (ResidualSpec.Parallel) spec.residual();
    INDArray h = attention(layout.attention(), x);
    addAndClose(h, feedForward(layout.feedForward(), x));
    Hidden.add(h, x);
    return h;
  }

  private INDArray attention(NormSpec norm, INDArray x) {
    try (INDArray normed = norm(norm, x).of(x)) {
      return attention(normed);
    }
  }

  private INDArray attention(INDArray x) {
    return SelfAttention.apply(spec.attention(), x, length, weights, observer);
  }

  private INDArray feedForward(NormSpec norm, INDArray x) {
    try (INDArray normed = norm(norm, x).of(x)) {
      return feedForward(normed);
    }
  }

  private INDArray feedForward(INDArray x) {
    FeedForwardSpec network = spec.feedForward();
    observer.observe(network.input(), x);
    if (network instanceof ExpertsSpec experts) {
      return Experts.apply(experts, x, weights, observer);
    }
    return Mlp.apply((MlpSpec) network, x, weights, observer);
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
