package io.shardpress.jobs.costs;

import java.util.List;

/**
 * One Spark job of independent tasks.
 *
 * @param description as the Spark UI shows it
 * @param kind what every task of it is: the name of the class of its work
 * @param start seconds after the run's begin, on the driver's clock
 * @param end the same
 * @param seconds wall time of each task's own work, in the order of submission
 * @param executors where each ran: indices into {@link RunCosts#executors}
 */
public record JobCosts(
    String description,
    String kind,
    double start,
    double end,
    List<Double> seconds,
    List<Integer> executors) {

  public JobCosts {
    seconds = List.copyOf(seconds);
    executors = List.copyOf(executors);
    if (seconds.isEmpty()) {
      throw new IllegalArgumentException("The job '%s' has no task".formatted(description));
    }
    if (seconds.size() != executors.size()) {
      throw new IllegalArgumentException(
          "The job '%s' has the seconds of %d tasks and the executors of %d"
              .formatted(description, seconds.size(), executors.size()));
    }
    for (double task : seconds) {
      StageCosts.requireDuration("A task of the job '%s'".formatted(description), 0, task);
    }
    StageCosts.requireDuration("The job '%s'".formatted(description), start, end);
  }

  /** Time on the driver's clock from submission to the last result. */
  public double duration() {
    return end - start;
  }
}
