package io.shardpress.jobs;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.job.CompressJob;
import io.shardpress.jobs.job.EvaluateJob;
import io.shardpress.jobs.job.EvaluationReport;
import io.shardpress.jobs.job.PlanReport;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.RecipeReader;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/**
 * One recipe, planned, compressed and evaluated from a program or a notebook, as the commands of
 * the same names do it. Spark starts with the first job and stops at {@link #close}; progress is
 * printed on standard output. Locations are local paths or URIs of any Hadoop file system. Not
 * thread-safe.
 */
public final class Shardpress implements AutoCloseable {
  private final Recipe recipe;
  private Optional<Session> session = Optional.empty();

  private Shardpress(Recipe recipe) {
    this.recipe = recipe;
  }

  /**
   * Reads the recipe in {@code file}.
   *
   * @param assignments changes to it, as in {@code calibration.sequences=64}
   * @throws io.shardpress.common.error.InputException when it is not valid
   */
  public static Shardpress open(String file, String... assignments) {
    HadoopStore store = HadoopStore.of(new Configuration());
    Recipe recipe = RecipeReader.read(store, Location.of(file), List.of(assignments));
    if (recipe.model().isBlank()) {
      throw new InputException(
          "The recipe %s names no model. Set model to the checkpoint's directory.".formatted(file));
    }
    return new Shardpress(recipe);
  }

  /** The recipe with its defaults and changes. */
  public Recipe recipe() {
    return recipe;
  }

  /** What {@link #compress} would do, from the checkpoint's headers alone; needs no Spark. */
  public PlanReport plan() {
    return PlanReport.of(HadoopStore.of(new Configuration()), recipe);
  }

  /**
   * Compresses the recipe's model, publishes it in {@code output}, an empty or absent folder, and
   * returns what {@code run.json} there holds.
   */
  public RunRecord compress(String output) {
    return new CompressJob(session(), progress(), recipe, Location.of(output))
        .run()
        .orElseThrow(
            () ->
                new DestinationException(
                    "%s holds a complete checkpoint of this run already. Choose another output."
                        .formatted(output)));
  }

  /**
   * Measures {@code model}, dense or compressed, beside the recipe's model on the recipe's
   * evaluation data.
   */
  public EvaluationReport evaluate(String model) {
    return new EvaluateJob(session(), progress(), recipe.run().kernels())
        .run(Location.of(model), Optional.of(Location.of(recipe.model())), recipe.evaluation());
  }

  private Session session() {
    if (session.isEmpty()) {
      session = Optional.of(Session.start(recipe.spark()));
    }
    return session.get();
  }

  private static Progress progress() {
    return Progress.ofProcess(System.out);
  }

  @Override
  public void close() {
    session.ifPresent(Session::close);
    session = Optional.empty();
  }
}
