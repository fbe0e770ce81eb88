package io.shardpress.jobs.calibrate;

import io.shardpress.jobs.calibrate.ObserveStages.Route;
import io.shardpress.jobs.calibrate.ObserveStages.Seen;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.statistics.CalibrationKey;
import io.shardpress.jobs.statistics.KeptInput;
import io.shardpress.jobs.statistics.StatisticsStore;
import io.shardpress.jobs.statistics.StatisticsStore.Origin;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.operators.model.Precision;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Sees to it that the statistics that a plan's layers need are in the store: those that are not
 * there are collected, for all stages from the dense model, or stage by stage behind compressed
 * ones.
 */
public final class Calibration {
  private final Tasks tasks;
  private final Progress progress;
  private final ModelRef model;
  private final Workspace workspace;
  private final Plan plan;
  private final TokenChunks tokens;
  private final Precision precision;
  private final Coverage coverage;
  private final StatisticsStore statistics;
  private final CalibrationKey dense;
  private final Origin origin;
  private final long scratchBytes;
  private final KeptActivations activations;
  private final Set<String> momentsAlone;
  private final Map<String, ExpertTokens> experts = new LinkedHashMap<>();

  /**
   * @param coverage what becomes of experts that few tokens reach
   * @param statistics where they are looked for and kept
   * @param dense the key of statistics of the dense model
   * @param scratchBytes partial sums that may lie in the workspace at once
   */
  public Calibration(
      Tasks tasks,
      Progress progress,
      ModelRef model,
      Workspace workspace,
      Plan plan,
      TokenChunks tokens,
      Precision precision,
      Coverage coverage,
      StatisticsStore statistics,
      CalibrationKey dense,
      Origin origin,
      long scratchBytes) {
    this.tasks = tasks;
    this.progress = progress;
    this.model = model;
    this.workspace = workspace;
    this.plan = plan;
    this.tokens = tokens;
    this.precision = precision;
    this.coverage = coverage;
    this.statistics = statistics;
    this.dense = dense;
    this.origin = origin;
    this.scratchBytes = scratchBytes;
    this.activations = new KeptActivations(model.store(), workspace);
    this.momentsAlone = new TreeSet<>(plan.momentsAlone());
  }

  /** Takes over the activations that an earlier attempt of the run kept. */
  public void resume() {
    activations.resume(tasks, stages());
  }

  /** Stages of the forward pass: the blocks, then the head. */
  private int stages() {
    return plan.blocks() + 1;
  }

  /** The statistics of all inputs that may be used, from the dense model. */
  public Map<String, StoredInput> observeAll() {
    List<Set<String>> wanted = IntStream.range(0, stages()).mapToObj(plan::inputs).toList();
    Set<String> all = new TreeSet<>();
    wanted.forEach(all::addAll);
    Map<String, StoredInput> found = find(dense, all);
    StagedModules nothing = StagedModules.none(model.store(), workspace);
    List<StageGroup> groups =
        StageGroup.of(missing(wanted, found), plan, tokens, precision, scratchBytes);
    progress.begin("calibrate", (double) tokens.sequences() * groups.size());
    for (int i = 0; i < groups.size(); i++) {
      StageGroup group = groups.get(i);
      int keep = i + 1 < groups.size() ? group.last() + 1 : Route.NOWHERE;
      found.putAll(
          pass(
              "stages %d to %d".formatted(group.first() + 1, group.last() + 1),
              new Route(activations.before(group.first()), group.first(), group.last(), keep),
              nothing,
              group.wanted(),
              dense,
              chunk ->
                  progress.advance(
                      (double) tokens.sequences() / tokens.chunks(),
                      "stages %d to %d".formatted(group.first() + 1, group.last() + 1))));
    }
    return usable(found.values());
  }

  /**
   * The statistics of one stage behind compressed ones, to be called for stage 0, 1, … in turn, and
   * for a stage again when some of its own layers have changed.
   *
   * @param wanted inputs of the stage
   * @param before all layers that are compressed so far
   * @param digest of what they were compressed to; empty where there are none
   */
  public Map<String, StoredInput> observe(
      int stage, Set<String> wanted, StagedModules before, String digest) {
    CalibrationKey key = digest.isEmpty() ? dense : dense.behind(digest);
    Map<String, StoredInput> found = find(key, wanted);
    List<Set<String>> missing = missing(List.of(wanted), found);
    if (!missing.get(0).isEmpty()) {
      int keep = activations.before(stage) == stage ? Route.NOWHERE : stage;
      found.putAll(
          pass(
              "stage %d of %d".formatted(stage + 1, stages()),
              new Route(activations.before(stage), stage, stage, keep),
              before,
              missing,
              key,
              chunk -> {}));
    }
    return usable(found.values());
  }

  /** Tokens per routed expert, of all stages so far. */
  public List<ExpertTokens> experts() {
    return List.copyOf(experts.values());
  }

  /** Statistics with Grams serve where moments are enough, too. */
  private Map<String, StoredInput> find(CalibrationKey key, Set<String> inputs) {
    Map<String, StoredInput> found = new TreeMap<>(look(key, inputs));
    Set<String> others = new TreeSet<>(inputs);
    others.retainAll(momentsAlone);
    others.removeAll(found.keySet());
    if (!others.isEmpty()) {
      found.putAll(look(key.moments(), others));
    }
    return found;
  }

  private Map<String, StoredInput> look(CalibrationKey key, Set<String> inputs) {
    Map<String, StoredInput> found = statistics.find(key, inputs);
    if (!found.isEmpty()) {
      statistics.check(tasks, found.values());
      progress.say(
          "note: statistics of %d inputs are taken from %s"
              .formatted(found.size(), statistics.folder(key)));
    }
    return found;
  }

  /** Keeps sums with Grams, and moments alone, each under its key. */
  private Map<String, StoredInput> keep(CalibrationKey key, List<KeptInput> collected) {
    Map<Boolean, List<KeptInput>> parts =
        collected.stream()
            .collect(Collectors.partitioningBy(kept -> momentsAlone.contains(kept.input())));
    Map<String, StoredInput> stored = new TreeMap<>();
    if (!parts.get(false).isEmpty()) {
      stored.putAll(statistics.put(key, origin, parts.get(false)));
    }
    if (!parts.get(true).isEmpty()) {
      stored.putAll(statistics.put(key.moments(), origin, parts.get(true)));
    }
    return stored;
  }

  private static List<Set<String>> missing(
      List<Set<String>> wanted, Map<String, StoredInput> found) {
    List<Set<String>> missing = new ArrayList<>();
    for (Set<String> inputs : wanted) {
      Set<String> rest = new TreeSet<>(inputs);
      rest.removeAll(found.keySet());
      missing.add(rest);
    }
    return missing;
  }

  private Map<String, StoredInput> usable(Collection<StoredInput> found) {
    Map<String, StoredInput> usable = new TreeMap<>();
    for (StoredInput stored : found) {
      KeptInput kept = stored.kept();
      if (coverage.isExpert(kept.input())) {
        experts.put(kept.input(), new ExpertTokens(kept.input(), kept.routed(), kept.action()));
      }
      if (kept.hasStatistics()) {
        usable.put(kept.input(), stored);
      }
    }
    return usable;
  }

  /** Observes, a second time where experts starve, adds up and marks. */
  private Map<String, StoredInput> pass(
      String what,
      Route route,
      StagedModules before,
      List<Set<String>> wanted,
      CalibrationKey key,
      Consumer<Seen> onChunk) {
    PassFolder folder =
        new PassFolder(
            model.store(),
            workspace,
            plan.widths(),
            tokens.chunkTokens(),
            momentsAlone,
            statistics.folder(key),
            statistics.folder(key.moments()));
    StagedModules passed = before.within(route.from(), route.last() + 1);
    List<Seen> seen = run(what, route, passed, wanted, Set.of(), onChunk);
    Map<String, KeptInput> kept = folder.fold(tasks, route, wanted, seen);
    List<Set<String>> starved = coverage.starved(wanted, kept, tokens.tokens());
    Set<String> again = new TreeSet<>();
    starved.forEach(again::addAll);
    if (!again.isEmpty()) {
      Map<String, KeptInput> all =
          folder.fold(
              tasks,
              route,
              starved,
              run(what + " again", route.again(), passed, starved, again, chunk -> {}));
      again.forEach(input -> folder.delete(kept.get(input)));
      Coverage.shownAll(again, kept, all);
    }
    Map<String, StoredInput> stored = keep(key, coverage.decided(kept, tokens.tokens()));
    if (route.keep() != Route.NOWHERE) {
      activations.put(route.keep(), seen.stream().map(chunk -> chunk.kept().get(0)).toList());
    }
    model.store().delete(workspace.partials());
    return stored;
  }

  private List<Seen> run(
      String what,
      Route route,
      StagedModules before,
      List<Set<String>> wanted,
      Set<String> fromAllTokens,
      Consumer<Seen> onChunk) {
    TaskMemory memory =
        IntStream.rangeClosed(route.from(), route.last())
            .mapToObj(plan.memory()::observe)
            .reduce(TaskMemory.NONE, TaskMemory::max);
    List<ObserveStages> work = new ArrayList<>();
    for (int chunk = 0; chunk < tokens.chunks(); chunk++) {
      work.add(
          new ObserveStages(
              model,
              precision,
              workspace,
              tokens,
              chunk,
              route,
              activations.of(route.from(), chunk),
              before,
              wanted,
              momentsAlone,
              fromAllTokens,
              memory));
    }
    return tasks.run(
        "calibrate: %s, %d sequences".formatted(what, tokens.sequences()), work, onChunk);
  }
}
