package io.shardpress.jobs.report;

import com.typesafe.config.ConfigRenderOptions;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.calibrate.ExpertTokens;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Versions;
import io.shardpress.jobs.spark.Application;
import io.shardpress.jobs.storage.PublishedFile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Gathers what a run learns about itself, so that its record can be written at any end. */
public final class RunLog {
  private UUID run;
  private final Recipe recipe;
  private final Application application;
  private final Instant startedAt;
  private final TaskLog tasks = new TaskLog();
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final List<LayerOutcome> layers = new ArrayList<>();
  private List<ExpertTokens> experts = List.of();
  private Optional<Plan> plan = Optional.empty();
  private long parameters;
  private int resumedLayers;
  private Optional<Sizes> sizes = Optional.empty();
  private Optional<String> calibrationDigest = Optional.empty();
  private Optional<Evaluation> evaluation = Optional.empty();

  public RunLog(UUID run, Recipe recipe, Application application, Instant startedAt) {
    this.run = run;
    this.recipe = recipe;
    this.application = application;
    this.startedAt = startedAt;
  }

  /** Runs {@code work} and adds its wall time to {@code stage}, also when it fails. */
  public <T> T time(String stage, Supplier<T> work) {
    long start = System.nanoTime();
    try {
      return tasks.stage(stage, work);
    } finally {
      seconds.merge(stage, (System.nanoTime() - start) / 1e9, Double::sum);
    }
  }

  /** Where the run's tasks log what they cost. */
  public TaskLog tasks() {
    return tasks;
  }

  /** What {@code tasks.json} holds: the costs of the stages and tasks so far. */
  public RunCosts costs() {
    int blocks = plan.map(Plan::blocks).orElse(0);
    boolean calibrated = plan.map(Plan::needsStatistics).orElse(false);
    return tasks.costs(run.toString(), blocks, calibrated ? recipe.calibration().sequences() : 0);
  }

  public void planned(Checkpoint source, Plan resolved) {
    plan = Optional.of(resolved);
    parameters =
        source.specs().values().stream()
            .filter(spec -> spec.dtype().isWeightFloat())
            .mapToLong(TensorSpec::elements)
            .sum();
  }

  public void calibrated(String digest, List<ExpertTokens> tokensPerExpert) {
    calibrationDigest = Optional.of(digest);
    experts = List.copyOf(tokensPerExpert);
  }

  /** The run's id. */
  public UUID run() {
    return run;
  }

  /** The run goes on under the id of an earlier attempt. */
  public void resumes(UUID earlier) {
    run = earlier;
  }

  /**
   * @param resumed layers that an earlier attempt had finished
   */
  public void solved(List<LayerOutcome> outcomes, int resumed) {
    layers.addAll(outcomes);
    resumedLayers = resumed;
  }

  /**
   * @param outputBytes tensor data of the published checkpoint
   */
  public void assembled(long outputBytes) {
    long linearBits =
        layers.stream()
            .flatMap(layer -> layer.tensors().stream())
            .mapToLong(spec -> 8 * spec.bytes())
            .sum();
    long linearWeights =
        layers.stream()
            .filter(LayerOutcome::replacesWeight)
            .mapToLong(layer -> layer.out() * layer.in())
            .sum();
    sizes =
        Optional.of(
            new Sizes(
                plan.map(Plan::sourceBytes).orElse(0L),
                outputBytes,
                parameters,
                8.0 * outputBytes / parameters,
                linearWeights == 0 ? Double.NaN : (double) linearBits / linearWeights));
  }

  public void evaluated(Evaluation found) {
    evaluation = Optional.of(found);
  }

  /** The record of a run that has only begun. */
  public RunRecord running() {
    return record("running", Optional.empty(), List.of());
  }

  public RunRecord complete(List<PublishedFile> files) {
    return record("complete", Optional.empty(), files);
  }

  public RunRecord failed(String message) {
    return record("failed", Optional.of(message), List.of());
  }

  private RunRecord record(String status, Optional<String> error, List<PublishedFile> files) {
    Map<LayerOutcome.Kind, Long> totals =
        layers.stream()
            .collect(
                Collectors.groupingBy(LayerOutcome::kind, TreeMap::new, Collectors.counting()));
    Map<String, String> versions = Versions.all(recipe.run().kernels());
    application.kernels().report(versions.get("kernels"), application.driver());
    application.memory().reportDriver();
    return new RunRecord(
        RunRecord.FORMAT,
        run.toString(),
        status,
        error,
        startedAt.toString(),
        application.id(),
        versions,
        kernels(),
        application.memory().processes(),
        // Spark settings may hold credentials under any name: they stay out.
        recipe.resolved().withoutPath("spark").root().render(ConfigRenderOptions.concise()),
        recipe.model(),
        plan.flatMap(Plan::family),
        calibrationDigest,
        List.copyOf(layers),
        totals,
        resumedLayers,
        plan.map(Plan::uncompressed).orElse(Map.of()),
        experts,
        sizes,
        evaluation,
        seconds,
        files,
        warnings());
  }

  private KernelRecord kernels() {
    return new KernelRecord(
        recipe.run().kernels().text(), application.threadsPerTask(), application.kernels().hosts());
  }

  private List<String> warnings() {
    List<String> warnings = new ArrayList<>(plan.map(Plan::warnings).orElse(List.of()));
    warnings.addAll(application.kernels().warnings());
    return warnings;
  }
}
