package io.shardpress.jobs.cli;

import io.shardpress.common.error.UsageException;
import io.shardpress.jobs.recipe.RecipeReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Spark's settings, for commands that take no recipe. */
final class SparkOptions {
  private static final String SPARK = "spark.";

  @Option(
      names = "--set",
      paramLabel = "<key=value>",
      description =
          "A Spark setting as in a recipe: --set spark.master=local[2],"
              + " --set spark.hadoop.fs.s3a.endpoint=https://…")
  private List<String> assignments = new ArrayList<>();

  /** By name; used where neither spark-submit nor {@code spark-defaults.conf} has set them. */
  Map<String, String> settings() {
    for (String assignment : assignments) {
      if (!assignment.startsWith(SPARK)) {
        throw new UsageException(
            "--set %s is no Spark setting, and this command has no others. Write spark.<key>=<value>."
                .formatted(assignment));
      }
    }
    return RecipeReader.ofAssignments(assignments).spark();
  }
}
