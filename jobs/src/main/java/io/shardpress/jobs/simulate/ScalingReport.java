package io.shardpress.jobs.simulate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What replays of a run say, for people and, as JSON, for programs. Speed-ups are over one executor
 * of the same size.
 *
 * @param run where the record of its tasks was read
 * @param tasks that are replayed
 * @param oneCoreSeconds what an executor with cores for one task would take
 * @param clusters one replay each, from a single executor up
 * @param curve speed-ups of these clusters and of those between
 * @param limit one sentence on what keeps the largest cluster from being faster
 * @param assumptions under which the figures hold
 */
public record ScalingReport(
    String run,
    int tasks,
    Recorded recorded,
    double oneCoreSeconds,
    List<Row> clusters,
    List<Point> curve,
    Serial serial,
    String limit,
    List<String> assumptions) {

  /**
   * The run as it was.
   *
   * @param coresPerExecutor 0 where it is not known
   * @param replayedSeconds what a replay on the same cluster gives
   */
  public record Recorded(
      int executors, int coresPerExecutor, double seconds, Optional<Double> replayedSeconds) {}

  /**
   * One cluster.
   *
   * @param efficiency speed-up per executor
   * @param utilisation share of its cores' time in which tasks are at work
   * @param serialShare of the time that no number of executors shortens
   * @param driverSeconds that the driver works alone
   * @param stages seconds of the jobs of each stage
   */
  public record Row(
      int executors,
      long cores,
      double seconds,
      double speedUp,
      double efficiency,
      double utilisation,
      double serialShare,
      double driverSeconds,
      Map<String, Double> stages) {

    static Row of(Replay replay, Replay one) {
      double speedUp = one.seconds() / replay.seconds();
      return new Row(
          replay.cluster().executors(),
          replay.cluster().cores(),
          replay.seconds(),
          speedUp,
          speedUp / replay.cluster().executors(),
          replay.utilisation(),
          replay.serialSeconds() / replay.seconds(),
          replay.driverSeconds(),
          replay.stages());
    }
  }

  /** A point of the curve of speed-ups. */
  public record Point(int executors, double speedUp) {
    static Point of(Replay replay, Replay one) {
      return new Point(replay.cluster().executors(), one.seconds() / replay.seconds());
    }
  }

  /**
   * What no number of executors shortens.
   *
   * @param seconds the driver's, and those of the longest task of each job
   * @param fraction of the time on one executor
   * @param driverSeconds that the driver works alone
   * @param startingSeconds until the first task of each job is at work, and from the last on
   * @param longestTaskSeconds of each job, together
   * @param largestSpeedUp that any number of executors reaches
   * @param executorsWorthwhile the fewest that come within 5 % of it
   */
  public record Serial(
      double seconds,
      double fraction,
      double driverSeconds,
      double startingSeconds,
      double longestTaskSeconds,
      double largestSpeedUp,
      int executorsWorthwhile) {

    static Serial of(Replay largest, Replay one, int enough) {
      double starting =
          largest.parts().stream()
              .filter(part -> !part.isDriver())
              .mapToDouble(Part::overhead)
              .sum();
      double seconds = largest.serialSeconds();
      return new Serial(
          seconds,
          seconds / one.seconds(),
          largest.driverSeconds(),
          starting,
          seconds - largest.driverSeconds() - starting,
          one.seconds() / seconds,
          enough);
    }
  }

  /** A page of text. */
  public String text() {
    List<String> stages = new ArrayList<>(clusters.get(0).stages().keySet());
    StringBuilder text = new StringBuilder();
    text.append("run        %s%n".formatted(run));
    text.append(
        "recorded   %s on %s%s%n"
            .formatted(
                Times.text(recorded.seconds()),
                size(),
                recorded
                    .replayedSeconds()
                    .map(seconds -> "; a replay of that gives " + Times.text(seconds))
                    .orElse("")));
    text.append(
        "replayed   %s; one core would take %s%n%n"
            .formatted(number("%,d tasks", tasks), Times.text(oneCoreSeconds)));
    text.append(
        "%9s %9s %14s %9s %10s %7s %7s %11s"
            .formatted(
                "executors",
                "cores",
                "time",
                "speed-up",
                "efficiency",
                "in use",
                "serial",
                "driver"));
    stages.forEach(stage -> text.append(" %12s".formatted(stage)));
    text.append(System.lineSeparator());
    clusters.forEach(row -> text.append(line(row, stages)));
    text.append(System.lineSeparator());
    text.append(
        "serial     %s, %s of the time on one executor: driver %s, starting jobs %s, their longest tasks %s; at most %s times as fast%n"
            .formatted(
                Times.text(serial.seconds()),
                number("%.2f %%", 100 * serial.fraction()),
                Times.text(serial.driverSeconds()),
                Times.text(serial.startingSeconds()),
                Times.text(serial.longestTaskSeconds()),
                number("%.1f", serial.largestSpeedUp())));
    text.append("limit      %s%n".formatted(limit));
    assumptions.forEach(assumption -> text.append("assumed    %s%n".formatted(assumption)));
    return text.toString();
  }

  private String size() {
    String executors =
        "%d executor%s".formatted(recorded.executors(), recorded.executors() == 1 ? "" : "s");
    return recorded.coresPerExecutor() == 0
        ? executors
        : "%s of %d core%s"
            .formatted(
                executors,
                recorded.coresPerExecutor(),
                recorded.coresPerExecutor() == 1 ? "" : "s");
  }

  private static String line(Row row, List<String> stages) {
    return "%9s %9s %14s %9s %10s %7s %7s %11s%s%n"
        .formatted(
            number("%,d", row.executors()),
            number("%,d", row.cores()),
            Times.text(row.seconds()),
            number("%.1f", row.speedUp()),
            number("%.0f %%", 100 * row.efficiency()),
            number("%.0f %%", 100 * row.utilisation()),
            number("%.0f %%", 100 * row.serialShare()),
            Times.text(row.driverSeconds()),
            stages.stream()
                .map(stage -> " %12s".formatted(Times.text(row.stages().get(stage))))
                .collect(Collectors.joining()));
  }

  private static String number(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }
}
