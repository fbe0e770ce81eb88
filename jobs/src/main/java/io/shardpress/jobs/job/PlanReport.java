package io.shardpress.jobs.job;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.plan.TaskNeed;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.spark.MemoryBudget;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.operators.compression.Algorithm;
import io.shardpress.operators.compression.Pruner;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.Settings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A plan for people and, as JSON, for programs.
 *
 * @param family absent families are {@code unknown}
 * @param layers linears to compress, in the order of the forward pass
 * @param peakTaskBytes predicted memory of the largest task, outside the heap
 * @param memory what a process has for tasks, and what they need
 */
public record PlanReport(
    String model,
    String family,
    int blocks,
    List<Layer> layers,
    Map<String, String> uncompressed,
    int copiedTensors,
    long sourceBytes,
    long plannedBytes,
    long peakTaskBytes,
    Memory memory,
    List<String> warnings) {

  /**
   * One linear and what is done to it.
   *
   * @param peakBytes of its largest task, outside the heap
   * @param sharedBytes how much of that its tasks have in common
   */
  public record Layer(
      String module,
      long out,
      long in,
      String steps,
      double operations,
      long peakBytes,
      long sharedBytes) {}

  /**
   * Memory of an executor, or of this process where tasks run in it.
   *
   * @param limitBytes what it may become
   * @param taskBytes of that beside heap, Java and libraries
   * @param tasks the largest of each kind
   * @param refusal why the run cannot start, and what to change
   */
  public record Memory(
      long limitBytes, long heapBytes, long taskBytes, List<Task> tasks, Optional<String> refusal) {

    static Memory of(Plan plan, MemoryBudget budget) {
      return new Memory(
          budget.limitBytes(),
          budget.heapBytes(),
          budget.taskBytes(),
          plan.memoryNeeds().stream().map(need -> Task.of(need, budget)).toList(),
          plan.refusal(budget));
    }

    private String text() {
      StringBuilder text = new StringBuilder();
      text.append(
          "memory    %s per process: %s for tasks, %s of heap, the rest for Java and libraries%n"
              .formatted(
                  new DataSize(limitBytes), new DataSize(taskBytes), new DataSize(heapBytes)));
      tasks.forEach(task -> text.append("          %s%n".formatted(task.text())));
      return text.toString();
    }
  }

  /**
   * @param what the layer or stage that it works on
   * @param ownBytes outside the heap
   * @param sharedBytes outside the heap, in common with other tasks of the process
   * @param atOnce how many run in a process at a time
   * @param processBytes what the process will become with them, with the whole heap
   */
  public record Task(
      String what, long ownBytes, long sharedBytes, long heapBytes, int atOnce, long processBytes) {

    private static Task of(TaskNeed need, MemoryBudget budget) {
      TaskMemory memory = need.memory();
      return new Task(
          need.what(),
          memory.ownBytes(),
          memory.sharedBytes(),
          memory.heapBytes(),
          budget.tasksAtOnce(memory),
          budget.plannedBytes(memory));
    }

    private String text() {
      String common =
          sharedBytes == 0 ? "" : " and %s in common".formatted(new DataSize(sharedBytes));
      return "%-44s %s%s, %s of heap; %d at a time, process of %s"
          .formatted(
              what,
              new DataSize(ownBytes),
              common,
              new DataSize(heapBytes),
              atOnce,
              new DataSize(processBytes));
    }
  }

  /** Plans from headers and Spark's settings; no Spark is started. */
  public static PlanReport of(HadoopStore store, Recipe recipe) {
    return of(store, recipe, Session.budget(recipe.spark()));
  }

  static PlanReport of(HadoopStore store, Recipe recipe, MemoryBudget budget) {
    Location model = Location.of(recipe.model());
    Plan plan =
        Planner.plan(
            new ModelRef(store, model).openWhole(), recipe, recipe.output().format().encoder());
    return new PlanReport(
        model.toString(),
        plan.family().orElse("unknown"),
        plan.blocks(),
        plan.layers().stream().map(PlanReport::layer).toList(),
        new TreeMap<>(plan.uncompressed()),
        plan.copied().size(),
        plan.sourceBytes(),
        plan.plannedBytes(),
        plan.memoryNeeds().stream().mapToLong(need -> need.memory().nativeBytes()).max().orElse(0),
        Memory.of(plan, budget),
        plan.warnings());
  }

  private static Layer layer(LayerTask task) {
    return new Layer(
        task.module(),
        task.out(),
        task.in(),
        task.tasks().map(PlanReport::describe).collect(Collectors.joining(", ")),
        task.cost(),
        task.memory().nativeBytes(),
        task.memory().sharedBytes());
  }

  private static String describe(StepTask step) {
    Settings settings = step.settings();
    String amount = settings instanceof Pruner pruner ? " " + pruner.amount() : "";
    String stored = step.storage() instanceof Scheme scheme ? " " + scheme : "";
    return Algorithm.of(settings).key() + amount + stored;
  }

  /** Layers that differ in nothing but a number of their name, such as the block's, with counts. */
  private Map<String, Integer> similarLayers() {
    Map<String, Integer> lines = new LinkedHashMap<>();
    for (Layer layer : layers) {
      String name = layer.module().replaceAll("(?<=\\.)\\d+(?=\\.)", "*");
      String line = "%-44s %6d x %-6d %s".formatted(name, layer.out(), layer.in(), layer.steps());
      lines.merge(line, 1, Integer::sum);
    }
    return lines;
  }

  /** The plan as a page of text. */
  public String text() {
    StringBuilder text = new StringBuilder();
    text.append("model     %s (%s, %d blocks)%n".formatted(model, family, blocks));
    similarLayers().forEach((line, count) -> text.append("  %4d x %s%n".formatted(count, line)));
    uncompressed.forEach(
        (module, why) -> text.append("         %-44s left alone: %s%n".formatted(module, why)));
    text.append(
        "layers    %d to compress, %d tensors copied%n".formatted(layers.size(), copiedTensors));
    text.append(
        "size      %s -> %s%n".formatted(new DataSize(sourceBytes), new DataSize(plannedBytes)));
    text.append(memory.text());
    warnings.forEach(warning -> text.append("note      %s%n".formatted(warning)));
    return text.toString();
  }
}
