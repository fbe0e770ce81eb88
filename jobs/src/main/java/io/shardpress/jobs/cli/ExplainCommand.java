package io.shardpress.jobs.cli;

import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.job.Explanation;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description =
        "Says in words what the recipe does to each linear, and why, from the checkpoint's headers"
            + " alone.")
final class ExplainCommand implements Callable<Integer> {
  private static final List<String> ALL = List.of("*");

  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--module",
      paramLabel = "<pattern>",
      description =
          "Only linears of this name, glob or re:<regex>, such as '*.down_proj'; may be given more"
              + " than once.")
  private List<String> modules = List.of();

  @Override
  public Integer call() {
    HadoopStore store = HadoopStore.of(new Configuration());
    ModuleMatcher shown = new ModuleMatcher(modules.isEmpty() ? ALL : modules);
    System.out.print(Explanation.of(store, recipe.require(store), shown).text());
    return 0;
  }
}
