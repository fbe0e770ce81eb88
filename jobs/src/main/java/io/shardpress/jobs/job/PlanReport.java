package io.shardpress.jobs.job;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.operators.quantization.Algorithm;
import io.shardpress.operators.quantization.Settings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A plan for people and, as JSON, for programs.
 *
 * @param family absent families are {@code unknown}
 * @param layers linears to compress, in the order of the forward pass
 * @param peakTaskBytes predicted memory of the largest task
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
    List<String> warnings) {

  /** One linear and what is done to it. */
  public record Layer(
      String module, long out, long in, String steps, double operations, long peakBytes) {}

  /** Plans from headers alone; no Spark is started. */
  public static PlanReport of(HadoopStore store, Recipe recipe) {
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
        plan.peakTaskBytes(),
        plan.warnings());
  }

  private static Layer layer(LayerTask task) {
    return new Layer(
        task.module(),
        task.out(),
        task.in(),
        task.steps().stream().map(PlanReport::describe).collect(Collectors.joining(", ")),
        task.cost(),
        task.peakBytes());
  }

  private static String describe(Settings settings) {
    return Algorithm.of(settings).key() + " " + settings.scheme();
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
    text.append("memory    %s for the largest task%n".formatted(new DataSize(peakTaskBytes)));
    warnings.forEach(warning -> text.append("note      %s%n".formatted(warning)));
    return text.toString();
  }
}
