package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.job.CompressJob;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.report.Summary;
import io.shardpress.jobs.resume.UnfinishedRuns.Earlier;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "compress",
    mixinStandardHelpOptions = true,
    description = "Compresses a checkpoint as the recipe says, evaluates it and publishes it.")
final class CompressCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "<dir>",
      description = "Where to publish; wins over output.uri.")
  private Optional<String> output;

  @Option(
      names = "--overwrite",
      description = "Replace a checkpoint that an earlier run published there.")
  private boolean overwrite;

  @Option(
      names = "--restart",
      description =
          "Start anew where an earlier run was cut short; without it, that run is finished.")
  private boolean restart;

  @Override
  public Integer call() {
    Recipe resolved = recipe.require(HadoopStore.of(new Configuration()));
    Location destination =
        Location.of(
            output
                .or(() -> resolved.output().uri())
                .orElseThrow(
                    () ->
                        new UsageException(
                            "There is no output. Set output.uri in the recipe, or give --output"
                                + " DIR.")));
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(resolved.spark(), resolved.run().kernels())) {
      Existing existing = overwrite ? Existing.REPLACE : Existing.REFUSE;
      Earlier earlier = restart ? Earlier.DISCARD : Earlier.RESUME;
      Optional<RunRecord> record =
          new CompressJob(session, progress, resolved, destination, existing, earlier).run();
      progress.say(
          record
              .map(done -> Summary.of(done, destination.toString()))
              .orElse(
                  "The checkpoint at %s was complete already; what its run had left was removed."
                      .formatted(destination)));
    }
    return 0;
  }
}
