package io.shardpress.jobs.cli;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.job.PlanReport;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Json;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "plan",
    mixinStandardHelpOptions = true,
    description = "Says what compress would do, from the checkpoint's headers alone.")
final class PlanCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(names = "--json", paramLabel = "<file>", description = "Write the plan as JSON.")
  private Optional<String> json;

  @Override
  public Integer call() {
    HadoopStore store = HadoopStore.of(new Configuration());
    Recipe resolved = recipe.require(store);
    PlanReport report = PlanReport.of(store, resolved);
    System.out.print(report.text());
    json.ifPresent(file -> Files.write(store, Location.of(file), Json.text(report)));
    report
        .memory()
        .refusal()
        .ifPresent(
            why -> {
              throw new EnvironmentException(why);
            });
    return 0;
  }
}
