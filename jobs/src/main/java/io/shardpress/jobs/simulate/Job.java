package io.shardpress.jobs.simulate;

import java.util.List;

/**
 * Independent tasks, all of which end before the next job begins.
 *
 * @param kind what every task is: the name of the class of its work
 * @param seconds of each task on the cores that it has for itself, in the order of submission
 */
record Job(String description, String kind, List<Double> seconds) {
  Job {
    seconds = List.copyOf(seconds);
  }

  double work() {
    return seconds.stream().mapToDouble(Double::doubleValue).sum();
  }
}
