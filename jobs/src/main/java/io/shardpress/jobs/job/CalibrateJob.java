package io.shardpress.jobs.job;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.data.TokenPreparation;
import io.shardpress.jobs.model.ModelDigest;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.StoredInput;
import java.util.Map;
import java.util.UUID;

/**
 * Collects the statistics that a recipe needs of the dense model, and keeps them for later runs.
 */
public final class CalibrateJob {
  private static final String WORK = "_work";

  private final Session session;
  private final HadoopStore store;
  private final Progress progress;
  private final Recipe recipe;
  private final ModelRef model;

  public CalibrateJob(Session session, Progress progress, Recipe recipe) {
    this.session = session;
    this.store = session.store();
    this.progress = progress;
    this.recipe = recipe;
    this.model = new ModelRef(store, Location.of(recipe.model()));
  }

  /**
   * Runs the job, or what is left of it where statistics are kept already.
   *
   * @return the statistics by input
   * @throws UsageException when the recipe names no place to keep them, or none can be collected
   *     ahead of compression
   */
  public Map<String, StoredInput> run() {
    Location root =
        recipe
            .calibration()
            .statistics()
            .map(Location::of)
            .orElseThrow(
                () ->
                    new UsageException(
                        "There is no place to keep statistics. Set calibration.statistics in the"
                            + " recipe, or give --statistics DIR."));
    if (recipe.calibration().mode() == CalibrationMode.SEQUENTIAL) {
      throw new UsageException(
          "With calibration.mode = sequential, statistics of a block depend on how the blocks"
              + " before it were compressed. Run compress, which keeps them in"
              + " calibration.statistics, or set the mode to one-pass.");
    }
    Workspace workspace = new Workspace(root.child(WORK).child(UUID.randomUUID().toString()));
    try {
      return collect(workspace);
    } finally {
      store.delete(workspace.root());
    }
  }

  private Map<String, StoredInput> collect(Workspace workspace) {
    OpenModel source = model.openWhole();
    Plan plan = Planner.plan(source, recipe, recipe.output().format().encoder());
    plan.warnings().forEach(warning -> progress.say("note: " + warning));
    if (!plan.needsStatistics()) {
      throw new InputException(
          "No step of the recipe needs statistics. Add one that does, such as gptq, or run"
              + " compress.");
    }
    if (recipe.calibration().data().isEmpty()) {
      throw new InputException(
          "calibration.data names no data. Set it to text, JSON lines, Parquet or token ids.");
    }
    Tasks tasks = session.tasks(recipe.run().kernels());
    TokenChunks tokens =
        new TokenPreparation(session.sql(), store)
            .prepare(recipe.calibration().dataSettings(), source.tokens(), workspace.tokens());
    Calibration calibration =
        new Calibrating(
                tasks,
                progress,
                model,
                ModelDigest.of(tasks, model),
                workspace,
                plan,
                recipe.calibration(),
                tokens)
            .calibration();
    return calibration.observeAll();
  }
}
