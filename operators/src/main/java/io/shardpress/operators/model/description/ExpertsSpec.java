package io.shardpress.operators.model.description;

import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A mixture of experts: every token passes the {@code perToken} experts of highest probability, and
 * their outputs are added, weighted by it. Probabilities are the softmax of the router over all
 * experts.
 *
 * @param router logits, {@code [experts.size(), hidden]}
 * @param weighting whether the chosen probabilities are used as they are
 * @param shared a network that every token passes
 */
public record ExpertsSpec(
    LinearSpec router,
    List<MlpSpec.Gated> experts,
    int perToken,
    Weighting weighting,
    Optional<Shared> shared)
    implements FeedForwardSpec {

  /** The weights of the chosen experts. */
  public enum Weighting {
    /** Their probabilities. */
    PROBABILITIES,
    /** Their probabilities, divided by their sum. */
    RENORMALIZED
  }

  /** A network for all tokens, its output multiplied by {@code sigmoid(gate(x))}. */
  public record Shared(MlpSpec.Gated network, LinearSpec gate) {}

  public ExpertsSpec {
    experts = List.copyOf(experts);
    if (perToken < 1 || perToken > experts.size()) {
      throw new IllegalArgumentException(
          "%d of %d experts per token".formatted(perToken, experts.size()));
    }
  }

  @Override
  public String input() {
    return router.siblingInput("router_input");
  }

  @Override
  public List<LinearModule> modules() {
    List<LinearModule> modules = new ArrayList<>();
    modules.add(router.reading(input(), Role.ROUTER));
    for (int e = 0; e < experts.size(); e++) {
      MlpSpec.Gated expert = experts.get(e);
      modules.addAll(expert.modules(expert.input(), Role.EXPERT, OptionalInt.of(e)));
    }
    shared.ifPresent(
        network -> {
          modules.addAll(network.network().modules(input(), Role.MLP, OptionalInt.empty()));
          modules.add(network.gate().reading(input(), Role.ROUTER));
        });
    return modules;
  }

  @Override
  public List<LinearSpec> linears() {
    List<LinearSpec> linears = new ArrayList<>();
    linears.add(router);
    experts.forEach(expert -> linears.addAll(expert.linears()));
    shared.ifPresent(
        network -> {
          linears.addAll(network.network().linears());
          linears.add(network.gate());
        });
    return linears;
  }
}
