package io.shardpress.operators.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.TinyWeights;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.ExpertsSpec.Weighting;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * By hand: hidden width 2, networks of width 1 with ReLU. Expert e gives {@code relu(x₀)·(e +
 * 1)·x₁} in its first output. The router's logits are {@code (0, ln 3 · x₀)}: at x₀ = 1 the
 * probabilities are 1/4 and 3/4, at x₀ = -1 they are 3/4 and 1/4.
 */
class ExpertsTest {
  private static final float LOG3 = (float) Math.log(3);

  private final TinyWeights weights =
      new TinyWeights(1)
          .put("moe.gate.weight", new long[] {2, 2}, 0, 0, LOG3, 0)
          .put("moe.shared_gate.weight", new long[] {1, 2}, 0, LOG3);

  ExpertsTest() {
    addNetwork("moe.experts.0", 1);
    addNetwork("moe.experts.1", 2);
    addNetwork("moe.shared", 10);
  }

  @Test
  void one_expert_weighted_by_its_probability() {
    List<String> observed = new ArrayList<>();
    float[] y = apply(spec(1, Weighting.PROBABILITIES, Optional.empty()), observed, 1, 5);
    assertThat(y).containsExactly(new float[] {0.75f * 2 * 5, 0}, within(1e-5f));
    assertThat(observed)
        .containsExactly(
            "moe.router_input", "moe.experts.1.gate_up_input", "moe.experts.1.down_input");
  }

  @Test
  void one_expert_renormalized_counts_in_full() {
    float[] y = apply(spec(1, Weighting.RENORMALIZED, Optional.empty()), new ArrayList<>(), 1, 5);
    assertThat(y).containsExactly(new float[] {2 * 5, 0}, within(1e-5f));
  }

  @Test
  void outputs_of_two_experts_are_added() {
    float[] y = apply(spec(2, Weighting.RENORMALIZED, Optional.empty()), new ArrayList<>(), 1, 5);
    assertThat(y).containsExactly(new float[] {0.25f * 5 + 0.75f * 10, 0}, within(1e-5f));
  }

  @Test
  void tokens_keep_their_places() {
    float[] y =
        apply(
            spec(1, Weighting.PROBABILITIES, Optional.empty()),
            new ArrayList<>(),
            new float[] {1, 5, -1, 5, 1, 2});
    assertThat(y).containsExactly(new float[] {7.5f, 0, 0, 0, 3, 0}, within(1e-5f));
  }

  @Test
  void a_shared_expert_is_added_behind_its_sigmoid() {
    ExpertsSpec.Shared shared =
        new ExpertsSpec.Shared(network("moe.shared"), LinearSpec.of("moe.shared_gate", 2, 1));
    List<String> observed = new ArrayList<>();
    float[] y = apply(spec(1, Weighting.PROBABILITIES, Optional.of(shared)), observed, 1, 1);
    // sigmoid(ln 3) = 3/4
    assertThat(y).containsExactly(new float[] {0.75f * 2 + 0.75f * 10, 0}, within(1e-5f));
    assertThat(observed)
        .endsWith("moe.shared.down_input")
        .doesNotContain("moe.shared.gate_up_input");
  }

  private float[] apply(ExpertsSpec spec, List<String> observed, float... x) {
    try (INDArray rows = Floats.of(x, x.length / 2, 2);
        INDArray y = Floats.zeros(x.length / 2, 2)) {
      Experts.add(spec, rows, y, weights.source(), (input, seen) -> observed.add(input));
      return Floats.toArray(y);
    }
  }

  private static ExpertsSpec spec(
      int perToken, Weighting weighting, Optional<ExpertsSpec.Shared> shared) {
    return new ExpertsSpec(
        LinearSpec.of("moe.gate", 2, 2),
        List.of(network("moe.experts.0"), network("moe.experts.1")),
        perToken,
        weighting,
        shared);
  }

  private static MlpSpec.Gated network(String path) {
    return new MlpSpec.Gated(
        LinearSpec.of(path + ".gate", 2, 1),
        LinearSpec.of(path + ".up", 2, 1),
        LinearSpec.of(path + ".down", 1, 2),
        Activation.RELU);
  }

  private void addNetwork(String path, float factor) {
    weights
        .put(path + ".gate.weight", new long[] {1, 2}, 1, 0)
        .put(path + ".up.weight", new long[] {1, 2}, 0, factor)
        .put(path + ".down.weight", new long[] {2, 1}, 1, 0);
  }
}
