package io.shardpress.jobs.calibrate;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.calibrate.FoldTile.Folded;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.model.Precision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Collects the statistics that a plan's layers need, for all stages at once or stage by stage. */
public final class Calibration {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Plan plan;
  private final TokenChunks tokens;
  private final Precision precision;
  private final ExpertPolicy policy;
  private final List<ExpertTokens> experts = new ArrayList<>();

  public Calibration(
      Tasks tasks,
      Progress progress,
      ModelRef model,
      Workspace workspace,
      Plan plan,
      TokenChunks tokens,
      Precision precision,
      ExpertPolicy policy) {
    this.tasks = tasks;
    this.progress = progress;
    this.model = model;
    this.workspace = workspace;
    this.plan = plan;
    this.tokens = tokens;
    this.precision = precision;
    this.policy = policy;
  }

  /** Stages of the forward pass: the blocks, then the head. */
  private int stages() {
    return plan.blocks() + 1;
  }

  /** Runs the dense model once and returns the inputs of all stages that have statistics. */
  public Set<String> observeAll() {
    List<Set<String>> wanted = IntStream.range(0, stages()).mapToObj(plan::inputs).toList();
    progress.begin("calibrate", tokens.sequences());
    runAll(wanted, Set.of());
    Map<String, Long> counts = fold(0, wanted);
    Set<String> observed = new TreeSet<>();
    List<Set<String>> starved = new ArrayList<>();
    for (int stage = 0; stage < stages(); stage++) {
      Coverage coverage = coverage(stage, wanted.get(stage), counts);
      observed.addAll(coverage.observed());
      starved.add(coverage.starved());
    }
    Set<String> again = new HashSet<>();
    starved.forEach(again::addAll);
    if (!again.isEmpty()) {
      progress.begin("calibrate", tokens.sequences());
      runAll(starved, again);
      observed.addAll(fold(0, starved).keySet());
    }
    model.store().delete(workspace.partials());
    return observed;
  }

  /**
   * Observes one stage behind compressed ones, to be called for stage 0, 1, … in turn.
   *
   * @param before the compressed layers of the stage before
   * @return the inputs of this stage that have statistics
   */
  public Set<String> observe(int stage, StagedModules before) {
    Set<String> wanted = plan.inputs(stage);
    runStage(stage, before, wanted, Set.of());
    Coverage coverage = coverage(stage, wanted, fold(stage, List.of(wanted)));
    Set<String> observed = new TreeSet<>(coverage.observed());
    if (!coverage.starved().isEmpty()) {
      runStage(stage, before, coverage.starved(), coverage.starved());
      observed.addAll(fold(stage, List.of(coverage.starved())).keySet());
    }
    model.store().delete(workspace.partials());
    if (stage > 0) {
      model.store().delete(workspace.activations(stage - 1));
    }
    return observed;
  }

  /** Tokens per routed expert, of all stages observed so far. */
  public List<ExpertTokens> experts() {
    return List.copyOf(experts);
  }

  private void runAll(List<Set<String>> wanted, Set<String> fromAllTokens) {
    tasks.run(
        "calibrate: dense model over " + tokens.sequences() + " sequences",
        perChunk(
            chunk ->
                new ObserveAllStages(
                    model, precision, workspace, tokens, chunk, wanted, fromAllTokens)),
        chunk ->
            progress.advance(
                tokens.sequences(chunk), "chunk %d of %d".formatted(chunk + 1, tokens.chunks())));
  }

  private void runStage(
      int stage, StagedModules before, Set<String> wanted, Set<String> fromAllTokens) {
    tasks.run(
        "calibrate: stage %d of %d".formatted(stage + 1, stages()),
        perChunk(
            chunk ->
                new ObserveStage(
                    model,
                    precision,
                    workspace,
                    tokens,
                    chunk,
                    stage,
                    before,
                    wanted,
                    fromAllTokens)));
  }

  private <W> List<W> perChunk(IntFunction<W> work) {
    return IntStream.range(0, tokens.chunks()).mapToObj(work).toList();
  }

  /**
   * @param observed inputs with statistics that may be used
   * @param starved inputs of experts to observe again with all tokens
   */
  private record Coverage(Set<String> observed, Set<String> starved) {}

  /**
   * @param counts tokens by input, of those that any token reached
   */
  private Coverage coverage(int stage, Set<String> wanted, Map<String, Long> counts) {
    Set<String> expertInputs = new TreeSet<>();
    plan.layers(stage).stream()
        .filter(LayerTask::expert)
        .filter(LayerTask::needsStatistics)
        .forEach(layer -> expertInputs.add(layer.input()));
    Set<String> observed = new TreeSet<>(wanted);
    observed.retainAll(counts.keySet());
    Set<String> starved = new TreeSet<>();
    long required = policy.required(tokens.tokens());
    for (String input : expertInputs) {
      long count = counts.getOrDefault(input, 0L);
      String action = count >= required ? "none" : action(input, count, required);
      experts.add(new ExpertTokens(input, count, action));
      if (count < required) {
        observed.remove(input);
        if (policy.starved() == StarvedExperts.ALL_TOKENS) {
          starved.add(input);
        }
      }
    }
    return new Coverage(observed, starved);
  }

  private String action(String input, long count, long required) {
    return switch (policy.starved()) {
      case ALL_TOKENS -> "all-tokens";
      case FALL_BACK -> "fall-back";
      case FAIL ->
          throw new InputException(
              "Only %d calibration tokens reached %s; the recipe asks for %d. Give more sequences, lower calibration.experts.minimum-tokens and minimum-share, or set calibration.experts.starved to all-tokens or fall-back."
                  .formatted(count, input, required));
    };
  }

  /**
   * Folds the inputs of neighbouring stages in one job, and returns the token counts of those that
   * any token reached.
   */
  private Map<String, Long> fold(int firstStage, List<Set<String>> inputs) {
    List<FoldTile> work = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      for (String input : inputs.get(i)) {
        work.addAll(foldTiles(input, firstStage + i));
      }
    }
    Map<String, Long> counts = new TreeMap<>();
    for (Folded folded : tasks.run("calibrate: add the sums of the chunks", work)) {
      if (folded.tokens() > 0) {
        counts.put(folded.input(), folded.tokens());
      }
    }
    return counts;
  }

  private List<FoldTile> foldTiles(String input, int stage) {
    long width =
        plan.layers(stage).stream()
            .filter(layer -> layer.input().equals(input))
            .mapToLong(LayerTask::in)
            .findAny()
            .orElseThrow();
    return FoldTile.of(
        model.store(),
        workspace,
        workspace.statistics(input).parent(),
        input,
        Math.toIntExact(width),
        stage,
        tokens.chunks());
  }
}
