package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.statistics.KeptInput;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Decides what becomes of the inputs of experts that too few tokens reach. */
public final class Coverage {
  private static final String ALL_TOKENS = "all-tokens";
  private static final String FALL_BACK = "fall-back";

  private final ExpertPolicy policy;
  private final Set<String> expertInputs = new HashSet<>();

  public Coverage(ExpertPolicy policy, Plan plan) {
    this.policy = policy;
    plan.layers().stream()
        .filter(LayerTask::expert)
        .forEach(layer -> expertInputs.add(layer.input()));
  }

  boolean isExpert(String input) {
    return expertInputs.contains(input);
  }

  /**
   * The inputs that are to be shown all tokens, per stage.
   *
   * @param total tokens of the whole calibration
   */
  List<Set<String>> starved(List<Set<String>> wanted, Map<String, KeptInput> kept, long total) {
    List<Set<String>> starved = new ArrayList<>();
    for (Set<String> inputs : wanted) {
      Set<String> few = new TreeSet<>();
      inputs.stream()
          .filter(input -> policy.starved() == StarvedExperts.ALL_TOKENS)
          .filter(input -> isStarved(kept.get(input), total))
          .forEach(few::add);
      starved.add(few);
    }
    return starved;
  }

  private boolean isStarved(KeptInput kept, long total) {
    return isExpert(kept.input()) && kept.routed() < policy.required(total);
  }

  /** Puts what was collected from all tokens in the place of what was routed. */
  static void shownAll(
      Set<String> inputs, Map<String, KeptInput> kept, Map<String, KeptInput> all) {
    for (String input : inputs) {
      KeptInput whole = all.get(input);
      kept.put(
          input,
          new KeptInput(
              input,
              whole.width(),
              whole.tokens(),
              kept.get(input).routed(),
              ALL_TOKENS,
              whole.files()));
    }
  }

  /**
   * What is to be kept: experts that stay starved lose their statistics.
   *
   * @throws InputException when the policy does not allow that
   */
  List<KeptInput> decided(Map<String, KeptInput> kept, long total) {
    return kept.values().stream().map(one -> decide(one, total)).toList();
  }

  private KeptInput decide(KeptInput kept, long total) {
    if (!isStarved(kept, total) || kept.action().equals(ALL_TOKENS)) {
      return kept;
    }
    return switch (policy.starved()) {
      case ALL_TOKENS ->
          throw new IllegalStateException(kept.input() + " was not shown all tokens");
      case FALL_BACK ->
          new KeptInput(
              kept.input(), kept.width(), kept.tokens(), kept.routed(), FALL_BACK, List.of());
      case FAIL ->
          throw new InputException(
              "Only %d calibration tokens reached %s; the recipe asks for %d. Give more sequences, lower calibration.experts.minimum-tokens and minimum-share, or set calibration.experts.starved to all-tokens or fall-back."
                  .formatted(kept.routed(), kept.input(), policy.required(total)));
    };
  }
}
