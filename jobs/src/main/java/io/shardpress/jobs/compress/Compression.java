package io.shardpress.jobs.compress;

import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.encoding.Encoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Compresses layers in parallel, the dearest first; results go to the workspace. */
public final class Compression {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Encoder encoder;

  public Compression(
      Tasks tasks, Progress progress, ModelRef model, Workspace workspace, Encoder encoder) {
    this.tasks = tasks;
    this.progress = progress;
    this.model = model;
    this.workspace = workspace;
    this.encoder = encoder;
  }

  /**
   * Compresses {@code layers} and returns their outcomes in the same order.
   *
   * @param description for the Spark UI
   * @param observed the inputs whose statistics are stored
   */
  public List<LayerOutcome> run(String description, List<LayerTask> layers, Set<String> observed) {
    List<CompressInput> work = new ArrayList<>();
    for (List<LayerTask> group : byInputAndSettings(layers)) {
      work.add(
          new CompressInput(
              model, workspace, encoder, group, observed.contains(group.get(0).input())));
    }
    // A stable order: equal costs stay in the order of the forward pass.
    work.sort(Comparator.comparingDouble(CompressInput::cost).reversed());
    Map<String, Double> costs = new HashMap<>();
    layers.forEach(layer -> costs.put(layer.module(), layer.cost()));
    Map<String, LayerOutcome> outcomes = new HashMap<>();
    tasks
        .run(
            description,
            work,
            finished ->
                finished.forEach(
                    outcome -> progress.advance(costs.get(outcome.module()), describe(outcome))))
        .forEach(group -> group.forEach(outcome -> outcomes.put(outcome.module(), outcome)));
    return layers.stream().map(layer -> outcomes.get(layer.module())).toList();
  }

  private static List<List<LayerTask>> byInputAndSettings(List<LayerTask> layers) {
    Map<List<Object>, List<LayerTask>> groups = new LinkedHashMap<>();
    for (LayerTask layer : layers) {
      List<Object> key =
          layer.needsStatistics()
              ? List.of(layer.input(), layer.steps())
              : List.of(layer.module(), layer.steps());
      groups.computeIfAbsent(key, unused -> new ArrayList<>()).add(layer);
    }
    return List.copyOf(groups.values());
  }

  private static String describe(LayerOutcome outcome) {
    String loss =
        Double.isNaN(outcome.relativeLoss())
            ? String.format(Locale.ROOT, "error %.2e", outcome.weightNmse())
            : String.format(Locale.ROOT, "loss %.2e", outcome.relativeLoss());
    String damping =
        Double.isNaN(outcome.damping())
            ? ""
            : String.format(Locale.ROOT, " damp %.2g", outcome.damping());
    return "%s %s %s%s %s"
        .formatted(
            outcome.module(),
            outcome.method(),
            loss,
            damping,
            String.format(Locale.ROOT, "%.2f s", outcome.seconds()));
  }
}
