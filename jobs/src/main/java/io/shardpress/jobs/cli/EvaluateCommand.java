package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.job.EvaluateJob;
import io.shardpress.jobs.job.EvaluationReport;
import io.shardpress.jobs.recipe.EvaluationSettings;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description =
        "Measures a checkpoint, dense or compressed by Shardpress, on held-out text: perplexity"
            + " and, beside a dense reference, KL divergence and top-1 agreement.")
final class EvaluateCommand implements Callable<Integer> {
  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--model",
      paramLabel = "<dir>",
      description = "Checkpoint to measure; default: the recipe's output, else its model.")
  private Optional<String> model;

  @Option(
      names = "--reference",
      paramLabel = "<dir>",
      description = "Dense checkpoint to compare with.")
  private Optional<String> reference;

  @Option(
      names = "--data",
      split = ",",
      paramLabel = "<file>",
      description = "Held-out data; wins over evaluation.data.")
  private List<String> data = List.of();

  @Option(names = "--length", paramLabel = "<tokens>", description = "Tokens per window.")
  private Optional<Integer> length;

  @Option(names = "--field", paramLabel = "<name>", description = "Field or column of the data.")
  private Optional<String> field;

  @Option(names = "--json", paramLabel = "<file>", description = "Write the figures as JSON.")
  private Optional<String> json;

  @Override
  public Integer call() {
    Recipe resolved = recipe.read(HadoopStore.of(new Configuration()));
    EvaluationSettings settings = resolved.evaluation().with(data, length, field);
    if (settings.data().isEmpty()) {
      throw new UsageException(
          "There is no data to evaluate on. Give --data FILE, or set evaluation.data in the"
              + " recipe.");
    }
    String measured =
        model
            .or(() -> resolved.output().uri())
            .or(() -> Optional.of(resolved.model()).filter(name -> !name.isBlank()))
            .orElseThrow(
                () -> new UsageException("There is no model. Give --model DIR, or a recipe."));
    Progress progress = Progress.ofProcess(System.out);
    try (Session session = Session.start(resolved.spark(), resolved.run().kernels())) {
      EvaluationReport report =
          new EvaluateJob(session, progress, resolved.run().kernels())
              .run(Location.of(measured), reference.map(Location::of), settings);
      progress.say(report.text());
      json.ifPresent(
          file -> Files.write(session.store(), Location.of(file), Json.text(report.json())));
    }
    return 0;
  }
}
