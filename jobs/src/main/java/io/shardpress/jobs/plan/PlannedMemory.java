package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.CalibrationMemory.Weights;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.jobs.recipe.CalibrationSettings;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Predicted memory of the tasks of a run that do not solve layers.
 *
 * @param stages calibration of each stage (the blocks, then the head); empty without one
 * @param evaluation scoring of a chunk of windows
 */
public record PlannedMemory(List<TaskMemory> stages, TaskMemory evaluation) {

  public PlannedMemory {
    stages = List.copyOf(stages);
  }

  static PlannedMemory of(OpenModel model, Recipe recipe, List<LayerTask> layers) {
    boolean calibrates = layers.stream().anyMatch(LayerTask::needsStatistics);
    boolean evaluates = !recipe.evaluation().data().isEmpty() && model.architecture().isPresent();
    return new PlannedMemory(
        calibrates ? stages(model, recipe, layers) : List.of(),
        evaluates ? evaluation(model, recipe.evaluation().dataSettings()) : TaskMemory.NONE);
  }

  private static List<TaskMemory> stages(OpenModel model, Recipe recipe, List<LayerTask> layers) {
    CalibrationSettings settings = recipe.calibration();
    Architecture architecture = model.requireArchitecture();
    List<DType> types = layers.stream().map(layer -> layer.weight().dtype()).toList();
    KernelChoice kernels = recipe.run().kernels().resolved();
    CalibrationMemory memory =
        new CalibrationMemory(
            architecture,
            (long) Math.max(1, settings.chunkTokens() / settings.length()) * settings.length(),
            settings.length(),
            settings.precision().forWeights(types),
            kernels == KernelChoice.OPENBLAS || kernels == KernelChoice.JAVA,
            EvaluationMemory.types(model, architecture));
    return IntStream.rangeClosed(0, architecture.blocks())
        .mapToObj(
            stage -> {
              Set<String> inputs = inputs(layers, stage);
              boolean again =
                  layers.stream()
                      .anyMatch(layer -> layer.stage() == stage && layer.steps().size() > 1);
              return settings.mode() == CalibrationMode.SEQUENTIAL
                  ? memory.observeBehindCompressed(
                      stage, inputs, again ? Weights.COMPRESSED : Weights.DENSE)
                  : memory.observe(stage, inputs);
            })
        .toList();
  }

  /** Those whose Gram is summed; moments take nothing. */
  private static Set<String> inputs(List<LayerTask> layers, int stage) {
    return layers.stream()
        .filter(layer -> layer.stage() == stage)
        .flatMap(LayerTask::tasks)
        .filter(task -> task.settings().needs() == StatisticsNeed.GRAM)
        .map(task -> task.layer().input())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static TaskMemory evaluation(OpenModel model, DataSettings settings) {
    long tokens = (long) settings.sequencesPerChunk() * settings.length();
    return EvaluationMemory.of(model, tokens, settings.length(), 2);
  }

  /** Of a task that calibrates one stage; {@code NONE} where none was planned. */
  public TaskMemory observe(int stage) {
    return stage < stages.size() ? stages.get(stage) : TaskMemory.NONE;
  }
}
