package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.resume.Lease;
import io.shardpress.jobs.resume.Lease.Patience;
import io.shardpress.jobs.resume.UnfinishedRuns;
import io.shardpress.jobs.run.Workspace;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "clean",
    mixinStandardHelpOptions = true,
    description =
        "Removes what a run that was cut short has left at its output; a complete checkpoint"
            + " stays.")
final class CleanCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "<dir>",
      description = "The output to clean; default: the recipe's output.uri.")
  private Optional<String> output;

  @Override
  public Integer call() {
    HadoopStore store = HadoopStore.of(new Configuration());
    Recipe resolved = recipe.read(store);
    Location place =
        Location.of(
            output
                .or(() -> resolved.output().uri())
                .orElseThrow(
                    () -> new UsageException("There is nothing to clean. Give --output DIR.")));
    UnfinishedRuns unfinished = new UnfinishedRuns(store, place);
    Publisher publisher = new Publisher(store, place, Existing.REPLACE);
    publisher.requireUsable(unfinished);
    if (store.list(place).isEmpty()) {
      System.out.printf("%s is clean%n", place);
      return 0;
    }
    List<Location> removed;
    try (Lease lease = Lease.take(store, place.child(Workspace.STAGING), Patience.DEFAULT)) {
      lease.requireHeld();
      removed = publisher.clean(unfinished);
    }
    removed.forEach(gone -> System.out.printf("removed %s%n", gone));
    System.out.printf("%s is clean%n", place);
    return 0;
  }
}
