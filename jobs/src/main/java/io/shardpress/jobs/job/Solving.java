package io.shardpress.jobs.job;

import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.Sha256;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Calibrates and compresses a plan's layers, in the order that the calibration mode asks for.
 *
 * @param staged what compressed layers look like to the stages behind them
 */
record Solving(
    Progress progress,
    Plan plan,
    RunLog log,
    Compression compression,
    Function<List<LayerOutcome>, StagedModules> staged) {

  /** Data-free: every layer is independent. */
  List<LayerOutcome> withoutData() {
    beginCompress();
    return compress(plan.layers(), "compress all layers", Map.of());
  }

  List<LayerOutcome> withData(CalibrationMode mode, Calibration calibration) {
    return switch (mode) {
      case ONE_PASS -> onePass(calibration);
      case SEQUENTIAL -> sequential(calibration);
    };
  }

  private List<LayerOutcome> onePass(Calibration calibration) {
    Map<String, StoredInput> statistics = log.time("calibrate", calibration::observeAll);
    beginCompress();
    return compress(plan.layers(), "compress all layers", statistics);
  }

  private List<LayerOutcome> sequential(Calibration calibration) {
    List<LayerOutcome> outcomes = new ArrayList<>();
    beginCompress();
    for (int stage = 0; stage <= lastStage(); stage++) {
      int current = stage;
      Map<String, StoredInput> statistics =
          log.time(
              "calibrate",
              () -> calibration.observe(current, staged.apply(outcomes), digest(outcomes)));
      outcomes.addAll(
          compress(
              plan.layers(stage),
              "compress stage %d of %d".formatted(stage + 1, lastStage() + 1),
              statistics));
    }
    return outcomes;
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

  private List<LayerOutcome> compress(
      List<LayerTask> layers, String description, Map<String, StoredInput> statistics) {
    return log.time("compress", () -> compression.run(description, layers, statistics));
  }
}
