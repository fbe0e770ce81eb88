package io.shardpress.jobs.plan;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.spark.MemoryBudget;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One run, resolved against the headers of its checkpoint.
 *
 * @param family the model family, absent when unknown (then only data-free steps apply)
 * @param blocks number of transformer blocks; 0 for an unknown family
 * @param layers the linears to compress, in the order of the forward pass
 * @param decisions about every linear of the model, in the same order
 * @param copied every tensor that is published as it is
 * @param uncompressed modules that a reader would look for but that are left alone, with the reason
 * @param sourceBytes tensor data of the source
 * @param plannedBytes tensor data of the output
 * @param memory of the tasks that do not solve layers
 * @param warnings what the user should know before paying for the run
 */
public record Plan(
    Optional<String> family,
    int blocks,
    List<LayerTask> layers,
    List<LinearDecisions> decisions,
    List<TensorSpec> copied,
    Map<String, String> uncompressed,
    long sourceBytes,
    long plannedBytes,
    PlannedMemory memory,
    List<String> warnings) {

  public Plan {
    layers = List.copyOf(layers);
    decisions = List.copyOf(decisions);
    copied = List.copyOf(copied);
    uncompressed = Map.copyOf(uncompressed);
    warnings = List.copyOf(warnings);
  }

  /** Whether calibration data has to be run through the model. */
  public boolean needsStatistics() {
    return layers.stream().anyMatch(LayerTask::needsStatistics);
  }

  /** The shared inputs of one stage whose statistics are needed, sorted. */
  public Set<String> inputs(int stage) {
    return inputs(layers(stage).stream().flatMap(LayerTask::tasks));
  }

  /** The shared inputs whose statistics these steps need, sorted. */
  public static Set<String> inputs(Stream<StepTask> tasks) {
    return tasks
        .filter(StepTask::needsStatistics)
        .map(task -> task.layer().input())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * What the recipe's steps do, step by step.
   *
   * @param some of the plan's layers
   * @return the linears that a step applies to, by the step's position
   */
  public static SortedMap<Integer, List<StepTask>> byStep(List<LayerTask> some) {
    SortedMap<Integer, List<StepTask>> steps = new TreeMap<>();
    some.stream()
        .flatMap(LayerTask::tasks)
        .forEach(task -> steps.computeIfAbsent(task.position(), p -> new ArrayList<>()).add(task));
    return steps;
  }

  /** Inputs of which moments are enough: no step that reads them needs the Gram. */
  public Set<String> momentsAlone() {
    Set<String> inputs = inputs(layers.stream().flatMap(LayerTask::tasks));
    layers.stream()
        .flatMap(LayerTask::tasks)
        .filter(task -> task.settings().needs() == StatisticsNeed.GRAM)
        .forEach(task -> inputs.remove(task.layer().input()));
    return inputs;
  }

  /** The channels of each shared input whose statistics are needed. */
  public Map<String, Integer> widths() {
    return layers.stream()
        .filter(LayerTask::needsStatistics)
        .collect(
            Collectors.toMap(
                LayerTask::input, layer -> Math.toIntExact(layer.in()), (one, other) -> one));
  }

  /** The layers of one stage. */
  public List<LayerTask> layers(int stage) {
    return layers.stream().filter(layer -> layer.stage() == stage).toList();
  }

  /** The memory of the largest task of each kind that the run has, in the order of the run. */
  public List<TaskNeed> memoryNeeds() {
    List<TaskNeed> needs = new ArrayList<>();
    for (int stage = 0; stage < memory.stages().size(); stage++) {
      String what =
          stage < blocks ? "Calibrating block %d".formatted(stage) : "Calibrating the head";
      needs.add(new TaskNeed(what, memory.observe(stage)));
    }
    List<TaskNeed> largest = new ArrayList<>();
    largest(needs).ifPresent(largest::add);
    largest(layers.stream().map(layer -> new TaskNeed(layer.module(), layer.memory())).toList())
        .ifPresent(largest::add);
    if (memory.evaluation().nativeBytes() > 0) {
      largest.add(new TaskNeed("Evaluating a chunk of windows", memory.evaluation()));
    }
    return List.copyOf(largest);
  }

  private static Optional<TaskNeed> largest(List<TaskNeed> needs) {
    return needs.stream().max(Comparator.comparingLong(need -> need.memory().nativeBytes()));
  }

  /** Why not all tasks fit into such a process, and what to change, if so. */
  public Optional<String> refusal(MemoryBudget budget) {
    List<String> reasons =
        Stream.of(
                memoryNeeds().stream()
                    .max(Comparator.comparingLong(need -> need.memory().nativeBytes()))
                    .flatMap(need -> budget.tooSmall(need.what(), need.memory())),
                memoryNeeds().stream()
                    .max(Comparator.comparingLong(need -> need.memory().heapBytes()))
                    .flatMap(need -> budget.heapTooSmall(need.what(), need.memory())))
            .flatMap(Optional::stream)
            .toList();
    return reasons.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", reasons));
  }

  /**
   * @throws EnvironmentException with the numbers and the settings to change, when a task does not
   *     fit into such a process
   */
  public void requireFits(MemoryBudget budget) {
    refusal(budget)
        .ifPresent(
            why -> {
              throw new EnvironmentException(why);
            });
  }
}
