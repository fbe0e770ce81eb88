package io.shardpress.jobs.cli;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.job.CalibrateJob;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.statistics.StoredInput;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "calibrate",
    mixinStandardHelpOptions = true,
    description =
        "Collects the statistics that the recipe's steps need from the dense model, and keeps them"
            + " for any number of compressions.")
final class CalibrateCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--statistics",
      paramLabel = "<dir>",
      description = "Where to keep them; wins over calibration.statistics.")
  private Optional<String> statistics;

  @Override
  public Integer call() {
    statistics.ifPresent(place -> recipe.assign("calibration.statistics=" + place));
    Recipe resolved = recipe.require(HadoopStore.of(new Configuration()));
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(resolved.spark(), resolved.run().kernels())) {
      Map<String, StoredInput> kept = new CalibrateJob(session, progress, resolved).run();
      progress.say(
          "statistics of %d inputs, %s, in %s"
              .formatted(
                  kept.size(),
                  new DataSize(
                      kept.values().stream().mapToLong(stored -> stored.kept().bytes()).sum()),
                  resolved.calibration().statistics().orElseThrow()));
    }
    return 0;
  }
}
