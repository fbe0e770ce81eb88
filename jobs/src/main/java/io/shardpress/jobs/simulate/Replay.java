package io.shardpress.jobs.simulate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** A workload as one cluster works it off. */
record Replay(Cluster cluster, List<Part> parts) {
  Replay {
    parts = List.copyOf(parts);
  }

  static Replay of(Workload workload, Schedule schedule) {
    Map<List<String>, Part> parts = new LinkedHashMap<>();
    for (Stretch stretch : workload.stretches()) {
      merge(parts, Part.ofDriver(stretch));
      for (Job job : stretch.jobs()) {
        merge(parts, Part.of(stretch.stage(), job, schedule));
      }
    }
    return new Replay(schedule.cluster(), List.copyOf(parts.values()));
  }

  private static void merge(Map<List<String>, Part> parts, Part part) {
    parts.merge(List.of(part.stage(), part.kind()), part, Part::with);
  }

  /** From the run's begin to its end. */
  double seconds() {
    return sum(Part::seconds, part -> true);
  }

  /**
   * The critical path: the driver's own time, and of each job the longest task and what it takes to
   * start it. No number of executors is faster.
   */
  double serialSeconds() {
    return sum(Part::shortest, part -> true);
  }

  double driverSeconds() {
    return sum(Part::seconds, Part::isDriver);
  }

  /** Seconds of all tasks, as one core would take. */
  double work() {
    return sum(Part::work, part -> true);
  }

  /** The share of the cluster's time for tasks that tasks use. */
  double utilisation() {
    return work() / (seconds() * cluster.slots());
  }

  /** Seconds in the jobs of each stage that has any, in the order of the run. */
  Map<String, Double> stages() {
    Map<String, Double> stages = new LinkedHashMap<>();
    for (Part part : parts) {
      if (!part.isDriver()) {
        stages.merge(part.stage(), part.seconds(), Double::sum);
      }
    }
    return stages;
  }

  private double sum(ToDoubleFunction<Part> value, Predicate<Part> which) {
    return parts.stream().filter(which).mapToDouble(value).sum();
  }
}
