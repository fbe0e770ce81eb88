package io.shardpress.jobs.compress;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.jobs.compress.SolveSlices.Slice;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.verify.CheckFile;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.encoding.Encoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Compresses layers in parallel, the dearest first; results go to the workspace. */
public final class Compression {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Encoder encoder;
  private final Map<SliceKey, SolvedSlice> finished = new HashMap<>();
  private final Map<SliceKey, Settings> surveyed = new HashMap<>();
  private final Map<String, LayerOutcome> ends = new HashMap<>();
  private final Set<String> resumed = new HashSet<>();

  private record SliceKey(String module, int step, RowSlice rows) {
    static SliceKey of(StepTask task, RowSlice rows) {
      return new SliceKey(task.layer().module(), task.position(), rows);
    }

    static SliceKey of(StepWeights weights) {
      return of(weights.task(), weights.rows());
    }

    static SliceKey of(SolvedSlice solved) {
      return new SliceKey(solved.module(), solved.step(), solved.rows());
    }
  }

  /** What is surveyed together: the linears that one step has the same settings for. */
  private record SurveyKey(int step, Settings settings) {}

  public Compression(
      Tasks tasks, Progress progress, ModelRef model, Workspace workspace, Encoder encoder) {
    this.tasks = tasks;
    this.progress = progress;
    this.model = model;
    this.workspace = workspace;
    this.encoder = encoder;
  }

  /**
   * Takes over what earlier attempts of the run finished, after its files were found to be as they
   * were marked.
   *
   * @throws ResumeRefusedException when a mark or a file was damaged
   */
  public void resume() {
    List<SolvedSlice> marked = new LayerMarks(model.store(), workspace).all();
    List<CheckFile> checks =
        marked.stream()
            .flatMap(slice -> slice.files().stream())
            .map(file -> new CheckFile(model.store(), workspace.layers(), file))
            .toList();
    try {
      tasks.run("resume: check %d finished files".formatted(checks.size()), checks);
    } catch (InputException e) {
      throw new ResumeRefusedException(
          "The unfinished run cannot be resumed: %s Add --restart to start anew."
              .formatted(e.getMessage()),
          e);
    }
    marked.forEach(slice -> finished.put(SliceKey.of(slice), slice));
  }

  /** Layers that were taken over whole from earlier attempts so far. */
  public int resumed() {
    return resumed.size();
  }

  /** What those of {@code layers} have come to that were solved so far. */
  public List<LayerOutcome> ends(List<LayerTask> layers) {
    return layers.stream().map(LayerTask::module).filter(ends::containsKey).map(ends::get).toList();
  }

  /** Those of {@code layers} that are changed already, as a runtime will see them. */
  public StagedModules staged(List<LayerTask> layers) {
    return StagedModules.of(model.store(), workspace, encoder, layers, ends(layers));
  }

  /**
   * Finds out what some steps have to know of all their linears before any is solved.
   *
   * @param statistics of the inputs that have any, by input
   */
  public void survey(List<StepTask> steps, Map<String, StoredInput> statistics) {
    Map<SurveyKey, List<StepWeights>> together = new LinkedHashMap<>();
    for (StepTask task : steps) {
      if (task.settings().survey().isPresent()) {
        together
            .computeIfAbsent(
                new SurveyKey(task.position(), task.settings()), key -> new ArrayList<>())
            .addAll(slices(task));
      }
    }
    Surveying surveying = new Surveying(tasks, model, workspace);
    together.forEach(
        (key, slices) -> {
          if (!slices.stream().map(SliceKey::of).allMatch(finished::containsKey)) {
            surveying
                .run(key.settings().survey().orElseThrow(), slices, statistics)
                .forEach((slice, decided) -> surveyed.put(SliceKey.of(slice), decided));
          }
        });
  }

  /**
   * Makes one step of some layers, and returns what they have come to in the same order.
   *
   * @param description for the Spark UI
   * @param statistics of the inputs that have any, by input
   */
  public List<LayerOutcome> run(
      String description, List<StepTask> steps, Map<String, StoredInput> statistics) {
    Map<SliceKey, SolvedSlice> solved = new HashMap<>();
    List<Slice> open = new ArrayList<>();
    Map<String, Double> costs = new HashMap<>();
    for (StepTask task : steps) {
      costs.put(task.layer().module(), task.cost() / task.layer().out());
      int before = open.size();
      for (StepWeights weights : slices(task)) {
        SliceKey key = SliceKey.of(task, weights.rows());
        if (finished.containsKey(key)) {
          solved.put(key, finished.get(key));
        } else {
          open.add(new Slice(weights, surveyed.getOrDefault(key, task.settings())));
        }
      }
      count(task, open.size() == before);
    }
    solved.values().forEach(slice -> report(slice, costs));
    tasks
        .run(
            description,
            work(open, statistics),
            done -> done.forEach(slice -> report(slice, costs)))
        .forEach(done -> done.forEach(slice -> solved.put(SliceKey.of(slice), slice)));
    List<LayerOutcome> outcomes = new ArrayList<>();
    for (StepTask task : steps) {
      LayerOutcome end = end(task, solved);
      ends.put(end.module(), end);
      outcomes.add(end);
    }
    return List.copyOf(outcomes);
  }

  /** A layer counts as taken over when all of its steps so far were. */
  private void count(StepTask task, boolean takenOver) {
    if (!takenOver) {
      resumed.remove(task.layer().module());
    } else if (task.isFirst()) {
      resumed.add(task.layer().module());
    }
  }

  private List<StepWeights> slices(StepTask task) {
    Optional<LayerOutcome> before = before(task);
    return task.layer().slices().stream()
        .map(
            rows ->
                new StepWeights(
                    task,
                    rows,
                    before.stream()
                        .flatMap(end -> end.files().stream())
                        .filter(part -> part.rows().equals(rows))
                        .map(LayerOutcome.Part::file)
                        .toList()))
        .toList();
  }

  private Optional<LayerOutcome> before(StepTask task) {
    return task.isFirst() ? Optional.empty() : Optional.ofNullable(ends.get(task.layer().module()));
  }

  private LayerOutcome end(StepTask task, Map<SliceKey, SolvedSlice> solved) {
    return LayerOutcome.of(
        task,
        task.layer().slices().stream().map(rows -> solved.get(SliceKey.of(task, rows))).toList(),
        encoder,
        before(task));
  }

  private List<SolveSlices> work(List<Slice> slices, Map<String, StoredInput> statistics) {
    List<SolveSlices> work = new ArrayList<>();
    for (List<Slice> group : byInputAndSettings(slices)) {
      StepTask task = group.get(0).task();
      List<StoredInput> needed =
          task.needsStatistics() && statistics.containsKey(task.layer().input())
              ? List.of(statistics.get(task.layer().input()))
              : List.of();
      work.add(new SolveSlices(model, workspace, encoder, group, needed));
    }
    // A stable order: equal costs stay in the order of the forward pass.
    work.sort(Comparator.comparingDouble(SolveSlices::cost).reversed());
    return work;
  }

  /** Together what shares a preparation, but not more weights than a task should hold. */
  private static List<List<Slice>> byInputAndSettings(List<Slice> slices) {
    Map<List<Object>, List<Slice>> groups = new LinkedHashMap<>();
    Map<List<Object>, Long> weights = new HashMap<>();
    for (Slice slice : slices) {
      LayerTask layer = slice.layer();
      String together = slice.task().needsStatistics() ? layer.input() : layer.module();
      List<Object> shared = List.of(together, slice.settings());
      long own = slice.weights().weights();
      long before = weights.merge(shared, own, Long::sum) - own;
      List<Object> key = List.of(shared, before / RowSlice.MOST_WEIGHTS);
      groups.computeIfAbsent(key, unused -> new ArrayList<>()).add(slice);
    }
    return List.copyOf(groups.values());
  }

  private void report(SolvedSlice slice, Map<String, Double> costPerRow) {
    progress.advance(costPerRow.get(slice.module()) * slice.rows().count(), describe(slice));
  }

  private static String describe(SolvedSlice slice) {
    String loss =
        Double.isNaN(slice.loss())
            ? String.format(Locale.ROOT, "error %.2e", slice.weightError() / slice.weightEnergy())
            : String.format(Locale.ROOT, "loss %.2e", slice.loss() / slice.energy());
    String damping =
        Double.isNaN(slice.damping())
            ? ""
            : String.format(Locale.ROOT, " damp %.2g", slice.damping());
    return "%s %s %s%s %s"
        .formatted(
            slice.module(),
            slice.method(),
            loss,
            damping,
            String.format(Locale.ROOT, "%.2f s", slice.seconds()));
  }
}
