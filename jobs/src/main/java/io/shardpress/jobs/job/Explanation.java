package io.shardpress.jobs.job;

import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.LinearDecisions;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.jobs.recipe.DataSize;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a recipe does to each linear, and why, in words.
 *
 * @param family absent families are {@code unknown}
 * @param statistics what the statistics that steps need are made of
 * @param groups in the order of the forward pass; the linears of each have one story
 * @param shown linears in {@code groups}
 * @param linears of the model
 */
public record Explanation(
    String model,
    String family,
    int blocks,
    String statistics,
    List<Group> groups,
    int shown,
    int linears,
    long sourceBytes,
    long plannedBytes,
    List<String> warnings) {

  public Explanation {
    groups = List.copyOf(groups);
    warnings = List.copyOf(warnings);
  }

  /** Linears that the recipe does the same to, for the same reasons. */
  public record Group(List<Similar> linears, LinearStory story) {
    public Group {
      linears = List.copyOf(linears);
    }

    private String text(int width) {
      StringBuilder text = new StringBuilder();
      linears.forEach(linear -> text.append(linear.text(width)));
      return text.append(story.text()).toString();
    }
  }

  /**
   * Linears of one shape that differ in nothing but numbers of their name, such as the block's.
   *
   * @param name for all of them
   * @param sourceBytes of all of them together
   * @param plannedBytes of what is published for them
   */
  public record Similar(
      String name, int count, long out, long in, long sourceBytes, long plannedBytes) {

    private String text(int width) {
      String before = new DataSize(sourceBytes).toString();
      return "%5d x %s  %6d x %-6d  %s%s%s%n"
          .formatted(
              count,
              name + " ".repeat(width - name.length()),
              out,
              in,
              before,
              sourceBytes == plannedBytes ? "" : " -> " + new DataSize(plannedBytes),
              count == 1 ? "" : " together");
    }
  }

  /**
   * Explains from headers; no Spark is started.
   *
   * @param modules which linears to show
   * @throws io.shardpress.common.error.UsageException when there is none for one of these patterns
   */
  public static Explanation of(HadoopStore store, Recipe recipe, ModuleMatcher modules) {
    Location model = Location.of(recipe.model());
    Plan plan =
        Planner.plan(
            new ModelRef(store, model).openWhole(), recipe, recipe.output().format().encoder());
    ModuleNames.require(modules, plan);
    List<LinearDecisions> shown =
        plan.decisions().stream()
            .filter(one -> modules.matches(one.linear().name(), Planner.LINEAR))
            .toList();
    return new Explanation(
        model.toString(),
        plan.family().orElse("unknown"),
        plan.blocks(),
        statistics(plan, recipe.calibration().mode()),
        groups(shown, new LinearStories(plan, recipe)),
        shown.size(),
        plan.decisions().size(),
        plan.sourceBytes(),
        plan.plannedBytes(),
        plan.warnings());
  }

  private static String statistics(Plan plan, CalibrationMode mode) {
    if (!plan.needsStatistics()) {
      return "none are needed";
    }
    return switch (mode) {
      case ONE_PASS -> "one-pass: inputs are those of the dense model, for every step";
      case SEQUENTIAL ->
          "sequential: inputs come through the blocks before as they are compressed, and of the"
              + " block itself through what earlier steps have left"
              + (surveysInputs(plan) ? "; the shares of a budget come from the dense model" : "");
    };
  }

  private static boolean surveysInputs(Plan plan) {
    return plan.layers().stream()
        .flatMap(LayerTask::tasks)
        .flatMap(task -> task.settings().survey().stream())
        .anyMatch(survey -> survey.needs() != StatisticsNeed.NONE);
  }

  private static List<Group> groups(List<LinearDecisions> shown, LinearStories stories) {
    Map<LinearStory, Map<String, List<LinearDecisions>>> together = new LinkedHashMap<>();
    for (LinearDecisions one : shown) {
      String alike =
          "%s %d %d"
              .formatted(
                  ModuleNames.anyNumber(one.linear().name()),
                  one.linear().out(),
                  one.linear().in());
      together
          .computeIfAbsent(stories.of(one), story -> new LinkedHashMap<>())
          .computeIfAbsent(alike, name -> new ArrayList<>())
          .add(one);
    }
    return together.entrySet().stream()
        .map(
            group ->
                new Group(
                    group.getValue().values().stream().map(some -> similar(some, stories)).toList(),
                    group.getKey()))
        .toList();
  }

  private static Similar similar(List<LinearDecisions> some, LinearStories stories) {
    LinearDecisions first = some.get(0);
    return new Similar(
        ModuleNames.together(some.stream().map(one -> one.linear().name()).toList()),
        some.size(),
        first.linear().out(),
        first.linear().in(),
        some.stream().mapToLong(stories::sourceBytes).sum(),
        some.stream().mapToLong(stories::plannedBytes).sum());
  }

  /** The explanation as a page of text. */
  public String text() {
    int width =
        groups.stream()
            .flatMap(group -> group.linears().stream())
            .mapToInt(linear -> linear.name().length())
            .max()
            .orElse(0);
    StringBuilder text = new StringBuilder();
    text.append("model       %s (%s, %d blocks)%n".formatted(model, family, blocks));
    text.append(Paragraph.of("statistics", 12, statistics));
    groups.forEach(group -> text.append("%n%s".formatted(group.text(width))));
    text.append("%nlinears     %d of %d shown%n".formatted(shown, linears));
    text.append(
        "size        %s -> %s, the whole model%n"
            .formatted(new DataSize(sourceBytes), new DataSize(plannedBytes)));
    warnings.forEach(warning -> text.append(Paragraph.of("note", 12, warning)));
    return text.toString();
  }
}
