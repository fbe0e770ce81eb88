package io.shardpress.operators.model.description;

import java.util.List;

/** Where a block normalizes and what it adds; A is attention, F the feed-forward network. */
public sealed interface ResidualSpec {

  List<NormSpec> norms();

  /** {@code h = x + A(n₁(x)); h + F(n₂(h))}. */
  record PreNorm(NormSpec attention, NormSpec feedForward) implements ResidualSpec {
    @Override
    public List<NormSpec> norms() {
      return List.of(attention, feedForward);
    }
  }

  /** {@code h = n₁(x + A(x)); n₂(h + F(h))}. */
  record PostNorm(NormSpec attention, NormSpec feedForward) implements ResidualSpec {
    @Override
    public List<NormSpec> norms() {
      return List.of(attention, feedForward);
    }
  }

  /** {@code h = x + n₂(A(n₁(x))); h + n₄(F(n₃(h)))}. */
  record Sandwich(
      NormSpec beforeAttention,
      NormSpec afterAttention,
      NormSpec beforeFeedForward,
      NormSpec afterFeedForward)
      implements ResidualSpec {
    @Override
    public List<NormSpec> norms() {
      return List.of(beforeAttention, afterAttention, beforeFeedForward, afterFeedForward);
    }
  }

  /** {@code x + A(n₁(x)) + F(n₂(x))}. */
  record Parallel(NormSpec attention, NormSpec feedForward) implements ResidualSpec {
    @Override
    public List<NormSpec> norms() {
      return List.of(attention, feedForward);
    }
  }
}
