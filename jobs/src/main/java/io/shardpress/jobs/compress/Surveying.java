package io.shardpress.jobs.compress;

import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.Survey;
import io.shardpress.operators.compression.Survey.Again;
import io.shardpress.operators.compression.Survey.Decided;
import io.shardpress.operators.compression.Survey.Finding;
import io.shardpress.operators.compression.Survey.Subject;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Takes a survey's looks on the cluster, round by round, until it has decided. */
record Surveying(Tasks tasks, ModelRef model, Workspace workspace) {

  /**
   * @param slices in the order of the forward pass
   * @param statistics of the inputs that have any, by input
   * @return the settings to solve slices with; those that are not in it need no others
   */
  Map<StepWeights, Settings> run(
      Survey survey, List<StepWeights> slices, Map<String, StoredInput> statistics) {
    Map<Subject, StepWeights> subjects = new LinkedHashMap<>();
    slices.forEach(slice -> subjects.put(LookAtSlices.subject(slice), slice));
    subjects.keySet().removeIf(subject -> !survey.concerns(subject));
    if (subjects.isEmpty()) {
      return Map.of();
    }
    Survey current = survey;
    for (int round = 1; ; round++) {
      Survey.Next next = current.next(look(current, round, subjects, statistics));
      if (next instanceof Decided decided) {
        Map<StepWeights, Settings> settings = new HashMap<>();
        decided.settings().forEach((subject, one) -> settings.put(subjects.get(subject), one));
        return settings;
      }
      current = ((Again) next).survey();
    }
  }

  private List<Finding> look(
      Survey survey,
      int round,
      Map<Subject, StepWeights> subjects,
      Map<String, StoredInput> statistics) {
    boolean needs = survey.needs() != StatisticsNeed.NONE;
    Map<Object, List<StepWeights>> groups = new LinkedHashMap<>();
    long weights = 0;
    for (StepWeights slice : subjects.values()) {
      weights += slice.weights();
      Object together = needs ? slice.layer().input() : weights / RowSlice.MOST_WEIGHTS;
      groups.computeIfAbsent(together, key -> new ArrayList<>()).add(slice);
    }
    List<LookAtSlices> work =
        groups.values().stream()
            .map(
                group -> {
                  StoredInput found = needs ? statistics.get(group.get(0).layer().input()) : null;
                  return new LookAtSlices(
                      model, workspace, survey, group, found == null ? List.of() : List.of(found));
                })
            .toList();
    Map<Subject, Finding> findings = new HashMap<>();
    tasks
        .run("survey of %d linears, round %d".formatted(subjects.size(), round), work)
        .forEach(some -> some.forEach(found -> findings.put(found.subject(), found)));
    return subjects.keySet().stream().map(findings::get).toList();
  }
}
