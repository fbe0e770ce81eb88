package io.shardpress.jobs.simulate;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.costs.RunCosts;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Replays a recorded run on clusters of other sizes. */
public final class Simulation {
  /** Executors that shorten the run by less than this share are not worth their price. */
  private static final double WORTH = 0.05;

  private final RunCosts costs;
  private final SimulationSettings settings;
  private final Overheads overheads;
  private final Workload workload;

  private Simulation(RunCosts costs, SimulationSettings settings) {
    this.costs = costs;
    this.settings = settings;
    this.overheads = Overheads.of(costs);
    this.workload = settings.stragglers().among(settings.whatIf().apply(costs));
  }

  /**
   * Replays a run on all clusters of the settings.
   *
   * @param source names the run in messages
   * @throws InputException when the run has no tasks, or cannot be what the settings ask for
   */
  public static ScalingReport of(String source, RunCosts costs, SimulationSettings settings) {
    if (costs.tasks() == 0) {
      throw new InputException(
          "%s lists no tasks, so that there is nothing to replay. Give the record of a run that compressed something."
              .formatted(source));
    }
    return new Simulation(costs, settings).report(source);
  }

  private ScalingReport report(String source) {
    TreeMap<Integer, Replay> replays = new TreeMap<>();
    int most = settings.executors().get(settings.executors().size() - 1);
    for (int executors = 1; executors < most; executors *= 2) {
      replays.put(executors, on(executors));
    }
    settings.executors().forEach(count -> replays.computeIfAbsent(count, this::on));
    Replay one = replays.computeIfAbsent(1, this::on);
    Replay largest = replays.get(most);
    int enough = enough(largest.serialSeconds());
    return new ScalingReport(
        source,
        workload.tasks(),
        recorded(),
        replay(new Cluster(1, costs.coresPerTask(), costs.coresPerTask())).seconds(),
        Stream.concat(Stream.of(1), settings.executors().stream())
            .distinct()
            .map(count -> ScalingReport.Row.of(replays.get(count), one))
            .toList(),
        replays.values().stream().map(replay -> ScalingReport.Point.of(replay, one)).toList(),
        ScalingReport.Serial.of(largest, one, enough),
        new Limit(largest).sentence(enough),
        new Assumptions(costs, settings, workload, overheads).list());
  }

  private ScalingReport.Recorded recorded() {
    boolean known = costs.coresPerExecutor() >= costs.coresPerTask();
    return new ScalingReport.Recorded(
        costs.executors().size(),
        costs.coresPerExecutor(),
        costs.seconds(),
        known
            ? Optional.of(
                Replay.of(
                        Workload.of(costs),
                        new Schedule(Overheads.recordedOn(costs), overheads, settings.shared()))
                    .seconds())
            : Optional.empty());
  }

  /** The fewest executors that come close to what any number of them can do. */
  private int enough(double shortest) {
    int tooFew = 0;
    int enough = workload.widest();
    while (enough - tooFew > 1) {
      int between = tooFew + (enough - tooFew) / 2;
      if (on(between).seconds() * (1 - WORTH) <= shortest) {
        enough = between;
      } else {
        tooFew = between;
      }
    }
    return enough;
  }

  private Replay on(int executors) {
    return replay(new Cluster(executors, settings.coresPerExecutor(), costs.coresPerTask()));
  }

  private Replay replay(Cluster cluster) {
    return Replay.of(workload, new Schedule(cluster, overheads, settings.shared()));
  }
}
