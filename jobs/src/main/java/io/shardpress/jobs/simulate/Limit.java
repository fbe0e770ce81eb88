package io.shardpress.jobs.simulate;

import java.util.Comparator;
import java.util.Locale;

/**
 * Says what keeps a replay from being shorter: the part that takes longest, and why that part does.
 */
record Limit(Replay replay) {
  /** A part within this factor of its shortest possible time does not get shorter any more. */
  private static final double SHORTEST = 1.2;

  /** From this factor on one task is too long for its job, rather than all of them. */
  private static final double UNEVEN = 1.5;

  /**
   * One sentence.
   *
   * @param enough executors that come close to the shortest possible time
   */
  String sentence(int enough) {
    Part part =
        replay.parts().stream().max(Comparator.comparingDouble(Part::seconds)).orElseThrow();
    long executors = replay.cluster().executors();
    return "On %s %s takes %s of the time: %s; %s."
        .formatted(
            count(executors, "executor"),
            name(part),
            percent(part.seconds() / replay.seconds()),
            why(part),
            replay.seconds() > SHORTEST * replay.serialSeconds()
                ? "the run gets shorter up to about %s".formatted(count(enough, "executor"))
                : "%s come within 5 %% of the shortest possible time, %s"
                    .formatted(count(enough, "executor"), Times.text(replay.serialSeconds())));
  }

  private static String name(Part part) {
    if (part.isDriver()) {
      return part.stage().equals(Workload.TOKENIZE)
          ? "the stage tokenize"
          : "what the driver does alone (%s)".formatted(part.stage());
    }
    return "the stage %s (jobs like '%s')".formatted(part.stage(), part.example());
  }

  private String why(Part part) {
    if (part.isDriver()) {
      return part.stage().equals(Workload.TOKENIZE)
          ? "its tasks are not recorded, so that it stays as it was"
          : "no executor shortens it";
    }
    String jobs =
        part.jobs() == 1
            ? "its job"
            : "its %s jobs follow one another, and each".formatted(count(part.jobs()));
    if (part.seconds() > SHORTEST * part.shortest()) {
      return "%s has up to %s for %s, so that the work itself is the limit"
          .formatted(jobs, count(part.widest(), "task"), places());
    }
    if (part.overhead() > part.shortest() / 2) {
      return "%s is so short that starting it takes longer than its tasks".formatted(jobs);
    }
    double mean = part.work() / part.tasks();
    double longestOfEach = (part.shortest() - part.overhead()) / part.jobs();
    String longest =
        longestOfEach > UNEVEN * mean
            ? " and ends with its longest one, %s times as long as the mean"
                .formatted(String.format(Locale.ROOT, "%.1f", longestOfEach / mean))
            : "";
    String finer =
        Growth.ofKind(part.kind())
            .flatMap(Growth::finer)
            .map(setting -> " (%s cuts them finer)".formatted(setting))
            .orElse("");
    return "%s has no more than %s%s for %s%s"
        .formatted(jobs, count(part.widest(), "task"), finer, places(), longest);
  }

  /** Where tasks run, one on each. */
  private String places() {
    return count(replay.cluster().slots(), replay.cluster().coresPerTask() == 1 ? "core" : "place");
  }

  private static String count(long number, String what) {
    return "%s %s%s".formatted(count(number), what, number == 1 ? "" : "s");
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }
}
