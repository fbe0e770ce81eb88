package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.job.VerifyJob;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description =
        "Re-reads a published checkpoint strictly: headers, shapes, hashes, and the error of its"
            + " weights against the source.")
final class VerifyCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "<dir>",
      description = "The checkpoint to verify; default: the recipe's output.uri.")
  private Optional<String> output;

  @Option(
      names = "--source",
      paramLabel = "<dir>",
      description = "The dense original; default: the recipe's model.")
  private Optional<String> source;

  @Override
  public Integer call() {
    Recipe resolved = recipe.read(HadoopStore.of(new Configuration()));
    String checkpoint =
        output
            .or(() -> resolved.output().uri())
            .orElseThrow(
                () -> new UsageException("There is nothing to verify. Give --output DIR."));
    Optional<Location> original =
        source
            .or(() -> Optional.of(resolved.model()).filter(name -> !name.isBlank()))
            .map(Location::of);
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(resolved.spark())) {
      progress.say(
          new VerifyJob(session, progress, resolved.run().kernels())
              .run(Location.of(checkpoint), original));
    }
    return 0;
  }
}
