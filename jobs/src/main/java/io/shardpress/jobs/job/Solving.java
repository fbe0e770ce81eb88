package io.shardpress.jobs.job;

import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Calibrates and compresses a plan's layers, in the order that the calibration mode asks for. */
record Solving(Progress progress, Plan plan, RunLog log, Compression compression) {

  /** Data-free: every layer is independent. */
  List<LayerOutcome> withoutData() {
    beginCompress();
    return allLayers(Map.of());
  }

  /** All statistics come from the dense model. */
  List<LayerOutcome> onePass(Calibration calibration) {
    Map<String, StoredInput> statistics = log.time("calibrate", calibration::observeAll);
    beginCompress();
    return allLayers(statistics);
  }

  /** Step by step, each of all layers. */
  private List<LayerOutcome> allLayers(Map<String, StoredInput> statistics) {
    Map<Integer, List<StepTask>> steps = Plan.byStep(plan.layers());
    steps.forEach(
        (position, tasks) -> {
          survey(tasks, statistics);
          String name = steps.size() == 1 ? "" : ", step %d".formatted(position + 1);
          compress(tasks, "compress all layers" + name, statistics);
        });
    return compression.ends(plan.layers());
  }

  /**
   * Stage by stage, each step behind all that were made before it.
   *
   * @param ahead makes one that sees the dense model, where a step has to know of all blocks
   */
  List<LayerOutcome> sequential(Calibration calibration, Supplier<Calibration> ahead) {
    beginCompress();
    surveyAhead(ahead);
    for (int stage = 0; stage <= lastStage(); stage++) {
      for (List<StepTask> tasks : Plan.byStep(plan.layers(stage)).values()) {
        compress(
            tasks,
            "compress stage %d of %d".formatted(stage + 1, lastStage() + 1),
            observe(calibration, stage, tasks));
      }
    }
    return compression.ends(plan.layers());
  }

  private Map<String, StoredInput> observe(
      Calibration calibration, int stage, List<StepTask> tasks) {
    Set<String> inputs = Plan.inputs(tasks.stream());
    return log.time(
        "calibrate",
        () ->
            calibration.observe(
                stage,
                inputs,
                compression.staged(plan.layers()),
                digest(compression.ends(plan.layers()))));
  }

  /** What has to be known of all blocks is found in the dense model. */
  private void surveyAhead(Supplier<Calibration> ahead) {
    List<StepTask> surveys =
        plan.layers().stream()
            .flatMap(LayerTask::tasks)
            .filter(StepTask::isFirst)
            .filter(task -> task.settings().survey().isPresent())
            .toList();
    boolean needs =
        surveys.stream()
            .flatMap(task -> task.settings().survey().stream())
            .anyMatch(survey -> survey.needs() != StatisticsNeed.NONE);
    survey(surveys, needs ? log.time("calibrate", () -> observeAll(ahead.get())) : Map.of());
  }

  private static Map<String, StoredInput> observeAll(Calibration ahead) {
    ahead.resume();
    return ahead.observeAll();
  }

  /** What the layers so far were compressed to; empty where nothing was changed. */
  private static String digest(List<LayerOutcome> outcomes) {
    StringBuilder text = new StringBuilder();
    for (LayerOutcome outcome : outcomes) {
      outcome
          .files()
          .forEach(part -> text.append(outcome.module()).append(' ').append(part.file().sha256()));
    }
    return text.isEmpty() ? "" : Sha256.of(text.toString());
  }

  private int lastStage() {
    return plan.layers().stream().mapToInt(LayerTask::stage).max().orElse(0);
  }

  private void beginCompress() {
    progress.begin("compress", plan.layers().stream().mapToDouble(LayerTask::cost).sum());
  }

  private void survey(List<StepTask> tasks, Map<String, StoredInput> statistics) {
    log.time(
        "compress",
        () -> {
          compression.survey(tasks, statistics);
          return tasks;
        });
  }

  private void compress(
      List<StepTask> tasks, String description, Map<String, StoredInput> statistics) {
    log.time("compress", () -> compression.run(description, tasks, statistics));
  }
}
