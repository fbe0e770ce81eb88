package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.RecipeReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The recipe and what the command line changes in it. */
final class RecipeOptions {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "<recipe.conf>",
      description = "Recipe in HOCON, on any Hadoop file system.")
  private Optional<String> recipe;

  @Option(
      names = "--set",
      paramLabel = "<key=value>",
      description =
          "Change a recipe key; a number picks a list element: --set steps.0.gptq.bits=3.")
  private List<String> assignments = new ArrayList<>();

  /** Makes one change more, in the words of {@code --set}. */
  void assign(String assignment) {
    assignments.add(assignment);
  }

  /** The recipe, which must have been given and name a model. */
  Recipe require(Store store) {
    if (recipe.isEmpty()) {
      throw new UsageException(
          "There is no recipe. Give one, for example conf/quickstart.conf; conf/reference.conf"
              + " lists all its keys.");
    }
    Recipe read = read(store);
    if (read.model().isBlank()) {
      throw new UsageException(
          "The recipe %s names no model. Set model to the checkpoint's directory."
              .formatted(recipe.get()));
    }
    return read;
  }

  /** The recipe, or one of defaults where none was given. */
  Recipe read(Store store) {
    return recipe
        .map(file -> RecipeReader.read(store, Location.of(file), assignments))
        .orElseGet(() -> RecipeReader.ofAssignments(assignments));
  }
}
