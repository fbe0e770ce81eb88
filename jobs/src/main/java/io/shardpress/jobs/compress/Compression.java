package io.shardpress.jobs.compress;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.jobs.compress.SolveSlices.Slice;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.verify.CheckFile;
import io.shardpress.operators.encoding.Encoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Compresses layers in parallel, the dearest first; results go to the workspace. */
public final class Compression {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Encoder encoder;
  private final Map<SliceKey, SolvedSlice> finished = new HashMap<>();
  private int resumed;

  private record SliceKey(String module, RowSlice rows) {}

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
    marked.forEach(slice -> finished.put(new SliceKey(slice.module(), slice.rows()), slice));
  }

  /** Layers that were taken over whole from earlier attempts so far. */
  public int resumed() {
    return resumed;
  }

  /**
   * Compresses {@code layers} and returns their outcomes in the same order.
   *
   * @param description for the Spark UI
   * @param statistics of the inputs that have any, by input
   */
  public List<LayerOutcome> run(
      String description, List<LayerTask> layers, Map<String, StoredInput> statistics) {
    Map<SliceKey, SolvedSlice> solved = new HashMap<>();
    List<Slice> open = new ArrayList<>();
    Map<String, Double> costs = new HashMap<>();
    for (LayerTask layer : layers) {
      costs.put(layer.module(), layer.cost() / layer.out());
      int before = open.size();
      for (RowSlice rows : layer.slices()) {
        SliceKey key = new SliceKey(layer.module(), rows);
        if (finished.containsKey(key)) {
          solved.put(key, finished.get(key));
        } else {
          open.add(new Slice(layer, rows));
        }
      }
      resumed += open.size() == before ? 1 : 0;
    }
    solved.values().forEach(slice -> report(slice, costs));
    tasks
        .run(
            description,
            work(open, statistics),
            done -> done.forEach(slice -> report(slice, costs)))
        .forEach(
            done ->
                done.forEach(
                    slice -> solved.put(new SliceKey(slice.module(), slice.rows()), slice)));
    return layers.stream().map(layer -> outcome(layer, solved)).toList();
  }

  private LayerOutcome outcome(LayerTask layer, Map<SliceKey, SolvedSlice> solved) {
    return LayerOutcome.of(
        layer,
        layer.slices().stream()
            .map(rows -> solved.get(new SliceKey(layer.module(), rows)))
            .toList(),
        encoder);
  }

  private List<SolveSlices> work(List<Slice> slices, Map<String, StoredInput> statistics) {
    List<SolveSlices> work = new ArrayList<>();
    for (List<Slice> group : byInputAndSettings(slices)) {
      LayerTask layer = group.get(0).layer();
      List<StoredInput> needed =
          layer.needsStatistics() && statistics.containsKey(layer.input())
              ? List.of(statistics.get(layer.input()))
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
      List<Object> shared =
          List.of(layer.needsStatistics() ? layer.input() : layer.module(), layer.steps());
      long before = weights.merge(shared, slice.weights(), Long::sum) - slice.weights();
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
