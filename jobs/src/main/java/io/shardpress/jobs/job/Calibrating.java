package io.shardpress.jobs.job;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.calibrate.Coverage;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.recipe.CalibrationSettings;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.CalibrationKey;
import io.shardpress.jobs.statistics.StatisticsStore;
import io.shardpress.jobs.statistics.StatisticsStore.Origin;
import io.shardpress.operators.model.Precision;
import java.util.List;

/**
 * Puts calibrations together from a recipe's settings. They look in, and add to, the store that the
 * recipe names, else one in the run's workspace.
 */
record Calibrating(
    Tasks tasks,
    Progress progress,
    ModelRef model,
    String modelDigest,
    Workspace workspace,
    Plan plan,
    CalibrationSettings settings,
    TokenChunks tokens) {

  /** The run's calibration. */
  Calibration calibration() {
    return in(workspace);
  }

  /**
   * One that looks at the dense model ahead of calibrating behind compressed blocks. It shares its
   * statistics, but not the activations that it keeps between passes: those are of dense blocks.
   */
  Calibration ahead() {
    return in(new Workspace(workspace.root().child("ahead")));
  }

  private Calibration in(Workspace scratch) {
    HadoopStore store = model.store();
    List<DType> stored = plan.layers().stream().map(layer -> layer.weight().dtype()).toList();
    Precision precision = settings.precision().forWeights(stored);
    return new Calibration(
        tasks,
        progress,
        model,
        scratch,
        plan,
        tokens,
        precision,
        new Coverage(settings.experts(), plan),
        new StatisticsStore(
            store, settings.statistics().map(Location::of).orElseGet(workspace::statistics)),
        CalibrationKey.of(modelDigest, tokens.digest(), precision, settings.experts()),
        Origin.now(model.location().toString(), settings.data()),
        settings.scratchSize().bytes());
  }
}
