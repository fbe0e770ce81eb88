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

  /** Matrices as large as the hidden states that {@link #apply} holds at a time, at most. */
  static int statesBeside(BlockSpec spec) {
    boolean sumOrEntry =
        spec.residual() instanceof ResidualSpec.Sandwich
            || spec.residual() instanceof ResidualSpec.Parallel;
    int ofExperts =
        spec.feedForward() instanceof ExpertsSpec
            ? 3 // what all read, one's tokens, and its output: all tokens may go to one
            : 0;
    return (sumOrEntry ? 1 : 0) + ofExperts;
  }

  /** Hidden states before the block become those behind it. */
  void apply(INDArray x) {
    if (spec.residual() instanceof ResidualSpec.PreNorm layout) {
      addAttention(normed(layout.attention(), x), x, x);
      addFeedForward(normed(layout.feedForward(), x), x, x);
    } else if (spec.residual() instanceof ResidualSpec.PostNorm layout) {
      addAttention(AS_THEY_ARE, x, x);
      norm(layout.attention(), x).apply(x);
      addFeedForward(AS_THEY_ARE, x, x);
      norm(layout.feedForward(), x).apply(x);
    } else if (spec.residual() instanceof ResidualSpec.Sandwich layout) {
      try (INDArray h = zeros(x)) {
        addAttention(normed(layout.beforeAttention(), x), x, h);
        norm(layout.afterAttention(), x).apply(h);
        Hidden.add(x, h);
      }
      try (INDArray h = zeros(x)) {
        addFeedForward(normed(layout.beforeFeedForward(), x), x, h);
        norm(layout.afterFeedForward(), x).apply(h);
        Hidden.add(x, h);
      }
    } else if (spec.residual() instanceof ResidualSpec.Parallel layout) {
      try (INDArray entry = Floats.copy(x)) {
        addAttention(normed(layout.attention(), x), entry, x);
        addFeedForward(normed(layout.feedForward(), x), entry, x);
      }
    }
  }

  private static INDArray zeros(INDArray x) {
    return Floats.zeros(Floats.rows(x), Floats.columns(x));
  }

  private void addAttention(Slices slices, INDArray x, INDArray sum) {
    SelfAttention.add(spec.attention(), slices, x, sum, length, weights, observer);
  }

  private void addFeedForward(Slices slices, INDArray x, INDArray sum) {
    FeedForwardSpec network = spec.feedForward();
    if (network instanceof MlpSpec mlp) {
      Mlp.add(mlp, mlp.input(), slices, x, sum, weights, observer);
      return;
    }
    ExpertsSpec experts = (ExpertsSpec) network;
    // a copy also where nothing is normalized: experts read their input while the sum grows
    try (INDArray entry = slices.before().map(norm -> norm.of(x)).orElseGet(() -> Floats.copy(x))) {
      Experts.add(experts, entry, sum, weights, observer);
    }
  }

  private Slices normed(NormSpec norm, INDArray x) {
    return new Slices(Optional.of(norm(norm, x)));
  }

  private Norm norm(NormSpec norm, INDArray x) {
    return Norm.load(norm, Floats.columns(x), weights);
  }
}
