package io.shardpress.jobs.job;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.LinearDecisions;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.Step;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.compression.Zeros;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Puts into words what a plan has decided about each linear. */
final class LinearStories {
  private final Plan plan;
  private final List<Step> steps;
  private final Encoder encoder;
  private final Map<String, LayerTask> layers = new HashMap<>();
  private final Map<String, TensorSpec> copied = new HashMap<>();
  private final Map<SharedInput, List<String>> readers = new HashMap<>();

  /** The input of a step's linears. */
  private record SharedInput(int position, String input) {
    static SharedInput of(StepTask task) {
      return new SharedInput(task.position(), task.layer().input());
    }
  }

  LinearStories(Plan plan, Recipe recipe) {
    this.plan = plan;
    this.steps = recipe.steps();
    this.encoder = recipe.output().format().encoder();
    plan.copied().forEach(spec -> copied.put(spec.name(), spec));
    for (LayerTask layer : plan.layers()) {
      layers.put(layer.module(), layer);
      layer
          .tasks()
          .filter(StepTask::needsStatistics)
          .forEach(
              task ->
                  readers
                      .computeIfAbsent(SharedInput.of(task), input -> new ArrayList<>())
                      .add(layer.module()));
    }
  }

  LinearStory of(LinearDecisions one) {
    String module = one.linear().name();
    List<LinearStory.Line> lines = new ArrayList<>();
    int taken = 0;
    for (int i = 0; i < one.steps().size(); i++) {
      Step.Decision decision = one.steps().get(i);
      lines.add(
          new LinearStory.Line(
              "steps.%d %s".formatted(i, steps.get(i).algorithm()),
              decision.settings().isPresent()
                  ? does(new StepTask(layers.get(module), taken++), decision.rule())
                  : "leaves it alone: " + decision.rule()));
    }
    if (lines.isEmpty()) {
      lines.add(
          new LinearStory.Line("all steps", "leave it alone: " + plan.uncompressed().get(module)));
    }
    return new LinearStory(lines, stored(module));
  }

  private String does(StepTask task, String rule) {
    Storage before = task.isFirst() ? Storage.PLAIN : task.before().storage();
    return "%s%s. Needs %s. Why: %s."
        .formatted(start(task), task.settings().describe(before), needs(task), rule);
  }

  private static String start(StepTask task) {
    if (task.isFirst()) {
      return "";
    }
    return "from what steps.%d left%s: "
        .formatted(
            task.before().position(), task.zeros() == Zeros.KEEP ? ", whose zeros stay" : "");
  }

  private String needs(StepTask task) {
    StatisticsNeed need = task.settings().needs();
    String input = need == StatisticsNeed.NONE ? "" : input(readers.get(SharedInput.of(task)));
    return switch (need) {
      case NONE -> "no data";
      case MOMENTS -> "moments of " + input;
      case GRAM -> "the Gram of " + input;
    };
  }

  /** The linears by their own names, without the block's, so that blocks tell the same story. */
  private static String input(List<String> sharers) {
    if (sharers.size() == 1) {
      return "its input";
    }
    Set<String> names = new LinkedHashSet<>();
    sharers.forEach(module -> names.add(ModuleNames.last(module)));
    return names.size() < sharers.size()
        ? "the input that %d linears share".formatted(sharers.size())
        : "the input that %s share".formatted(ModuleNames.enumerated(List.copyOf(names)));
  }

  private String stored(String module) {
    LayerTask layer = layers.get(module);
    return layer == null
        ? "as it is, %s".formatted(source(module).dtype())
        : encoder.describe(layer.stored(), layer.storage());
  }

  private TensorSpec source(String module) {
    LayerTask layer = layers.get(module);
    return layer == null ? copied.get(module + ".weight") : layer.weight();
  }

  long sourceBytes(LinearDecisions one) {
    return source(one.linear().name()).bytes();
  }

  long plannedBytes(LinearDecisions one) {
    LayerTask layer = layers.get(one.linear().name());
    return layer == null
        ? sourceBytes(one)
        : encoder.plan(layer.stored(), layer.storage()).stream().mapToLong(TensorSpec::bytes).sum();
  }
}
