package io.shardpress.jobs.job;

import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.jobs.recipe.CalibrationSettings;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.encoding.Encoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Calibrates and compresses a plan's layers, in the order that the calibration mode asks for. */
final class Solving {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Encoder encoder;
  private final Plan plan;
  private final RunLog log;
  private final Compression compression;

  Solving(
      Tasks tasks,
      Progress progress,
      ModelRef model,
      Workspace workspace,
      Encoder encoder,
      Plan plan,
      RunLog log,
      Compression compression) {
    this.tasks = tasks;
    this.progress = progress;
    this.model = model;
    this.workspace = workspace;
    this.encoder = encoder;
    this.plan = plan;
    this.log = log;
    this.compression = compression;
  }

  /** Data-free: every layer is independent. */
  List<LayerOutcome> withoutData() {
    beginCompress();
    return compress(plan.layers(), "compress all layers", Set.of());
  }

  List<LayerOutcome> withData(CalibrationSettings settings, TokenChunks tokens) {
    Calibration calibration =
        new Calibration(
            tasks,
            progress,
            model,
            workspace,
            plan,
            tokens,
            settings.precision().forWeights(storedTypes()),
            settings.experts());
    List<LayerOutcome> outcomes =
        settings.mode() == CalibrationMode.ONE_PASS
            ? onePass(calibration)
            : sequential(calibration);
    log.calibrated(tokens.digest(), calibration.experts());
    return outcomes;
  }

  private List<DType> storedTypes() {
    return plan.layers().stream().map(layer -> layer.weight().dtype()).toList();
  }

  private List<LayerOutcome> onePass(Calibration calibration) {
    Set<String> observed = log.time("calibrate", calibration::observeAll);
    beginCompress();
    return compress(plan.layers(), "compress all layers", observed);
  }

  private List<LayerOutcome> sequential(Calibration calibration) {
    List<LayerOutcome> outcomes = new ArrayList<>();
    StagedModules before = staged(List.of());
    beginCompress();
    for (int stage = 0; stage <= lastStage(); stage++) {
      int current = stage;
      StagedModules arrived = before;
      Set<String> observed = log.time("calibrate", () -> calibration.observe(current, arrived));
      List<LayerOutcome> solved =
          compress(
              plan.layers(stage),
              "compress stage %d of %d".formatted(stage + 1, lastStage() + 1),
              observed);
      outcomes.addAll(solved);
      before = staged(solved);
    }
    return outcomes;
  }

  /** What the next stage sees of this one: layers without a compressed weight stay dense. */
  private StagedModules staged(List<LayerOutcome> outcomes) {
    return StagedModules.of(model.store(), workspace, encoder, plan.layers(), outcomes);
  }

  private int lastStage() {
    return plan.layers().stream().mapToInt(LayerTask::stage).max().orElse(0);
  }

  private void beginCompress() {
    progress.begin("compress", plan.layers().stream().mapToDouble(LayerTask::cost).sum());
  }

  private List<LayerOutcome> compress(
      List<LayerTask> layers, String description, Set<String> observed) {
    return log.time("compress", () -> compression.run(description, layers, observed));
  }
}
