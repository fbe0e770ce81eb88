package io.shardpress.operators.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.description.ExpertsSpec.Weighting;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class RoutingTest {
  /** Softmax of the first row is 0.1, 0.2, 0.3, 0.4; of the second 0.4, 0.1, 0.3, 0.2. */
  private static final float[] LOGITS = {0, log(2), log(3), log(4), log(4), 0, log(3), log(2)};

  @Test
  void tokens_go_to_their_most_probable_experts() {
    Routing routing = route(2, Weighting.PROBABILITIES, LOGITS);
    assertThat(routing.tokens(0)).containsExactly(1);
    assertThat(routing.tokens(1)).isEmpty();
    assertThat(routing.tokens(2)).containsExactly(0, 1);
    assertThat(routing.tokens(3)).containsExactly(0);
    assertThat(routing.shares(0)).containsExactly(new float[] {0.4f}, within(1e-6f));
    assertThat(routing.shares(2)).containsExactly(new float[] {0.3f, 0.3f}, within(1e-6f));
  }

  @Test
  void renormalized_weights_sum_to_one() {
    Routing routing = route(2, Weighting.RENORMALIZED, LOGITS);
    assertThat(routing.shares(3)).containsExactly(new float[] {4f / 7}, within(1e-6f));
    assertThat(routing.shares(2)).containsExactly(new float[] {3f / 7, 3f / 7}, within(1e-6f));
  }

  @Test
  void the_lower_index_wins_a_tie() {
    Routing routing = route(2, Weighting.RENORMALIZED, 1, 2, 2, 2);
    assertThat(routing.tokens(1)).containsExactly(0);
    assertThat(routing.tokens(2)).containsExactly(0);
    assertThat(routing.tokens(3)).isEmpty();
  }

  @Test
  void one_expert_may_get_all_tokens() {
    float[] logits = new float[50 * 4];
    for (int token = 0; token < 50; token++) {
      logits[token * 4 + 2] = 1;
    }
    Routing routing = route(1, Weighting.RENORMALIZED, logits);
    assertThat(routing.tokens(2)).hasSize(50).isSorted();
    assertThat(routing.shares(2)).containsOnly(1f);
  }

  private static Routing route(int perToken, Weighting weighting, float... logits) {
    try (INDArray rows = Floats.of(logits, logits.length / 4, 4)) {
      return Routing.of(rows, perToken, weighting);
    }
  }

  private static float log(double x) {
    return (float) Math.log(x);
  }
}
