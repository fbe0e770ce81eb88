package io.shardpress.jobs.recipe;

import com.typesafe.config.Config;
import java.util.List;
import java.util.Map;

/**
 * A validated recipe.
 *
 * @param model location of the checkpoint
 * @param spark Spark settings to set where absent
 * @param resolved the whole tree that it was read from, defaults included, for run records
 */
public record Recipe(
    String model,
    CalibrationSettings calibration,
    List<Step> steps,
    OutputSettings output,
    EvaluationSettings evaluation,
    RunSettings run,
    Map<String, String> spark,
    Config resolved) {

  public Recipe {
    steps = List.copyOf(steps);
    spark = Map.copyOf(spark);
  }
}
