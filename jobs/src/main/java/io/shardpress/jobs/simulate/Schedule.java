package io.shardpress.jobs.simulate;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeSet;

/**
 * How Spark spreads the tasks of one job: in the order of submission, the next one to the executor
 * with most free cores as soon as one has a free core. With a shared part, a task also computes on
 * the cores of its executor that have nothing to do: by Amdahl's law, with as many cores as there
 * are for each task of the executor.
 *
 * @param shared the part of a task's work that idle cores take over, from 0 (none) to 1
 */
record Schedule(Cluster cluster, Overheads overheads, double shared) {

  /** Seconds from the submission of a job of these tasks to its end. */
  double seconds(List<Double> tasks) {
    return overheads.job() + new Run(tasks).seconds();
  }

  /** The same on as many executors as there are tasks. */
  double shortest(List<Double> tasks) {
    return new Schedule(cluster.of(tasks.size()), overheads, shared).seconds(tasks);
  }

  /** How fast a task is that shares an executor with so many, itself included. */
  private double speed(int running) {
    return 1 / (1 - shared + shared * running / cluster.slotsPerExecutor());
  }

  /** One job under way. Executors are ordered anew whenever one of them changes. */
  private final class Run {
    private final List<Double> tasks;
    private final TreeSet<Executor> byLoad =
        new TreeSet<>(
            Comparator.<Executor>comparingInt(executor -> executor.ends.size())
                .thenComparingInt(executor -> executor.index));
    private final TreeSet<Executor> byEnd =
        new TreeSet<>(
            Comparator.<Executor>comparingDouble(Executor::nextEnd)
                .thenComparingInt(executor -> executor.index));

    Run(List<Double> tasks) {
      this.tasks = tasks;
      // Tasks go to empty executors first, so that further ones would stay empty.
      for (int i = 0; i < Math.min(cluster.executors(), tasks.size()); i++) {
        byLoad.add(new Executor(i));
      }
      byEnd.addAll(byLoad);
    }

    double seconds() {
      double now = 0;
      int submitted = 0;
      while (true) {
        Executor idlest = byLoad.first();
        Executor soonest = byEnd.first();
        double launch = Double.POSITIVE_INFINITY;
        if (submitted < tasks.size() && idlest.ends.size() < cluster.slotsPerExecutor()) {
          launch = Math.max(now, submitted * overheads.launch());
        }
        double end = soonest.nextEnd();
        if (Double.isInfinite(Math.min(launch, end))) {
          return now;
        }
        now = Math.min(launch, end);
        Executor changed = launch < end ? idlest : soonest;
        byLoad.remove(changed);
        byEnd.remove(changed);
        if (launch < end) {
          changed.start(now, tasks.get(submitted++) + overheads.task());
        } else {
          changed.finish(now);
        }
        byLoad.add(changed);
        byEnd.add(changed);
      }
    }
  }

  /**
   * Its tasks progress alike: each has done its work when the executor has done so much per task.
   */
  private final class Executor {
    private final int index;
    private final PriorityQueue<Double> ends = new PriorityQueue<>();
    private double done;
    private double since;

    Executor(int index) {
      this.index = index;
    }

    double nextEnd() {
      return ends.isEmpty()
          ? Double.POSITIVE_INFINITY
          : since + Math.max(0, ends.element() - done) / speed(ends.size());
    }

    void start(double now, double work) {
      if (!ends.isEmpty()) {
        done += (now - since) * speed(ends.size());
      }
      since = now;
      ends.add(done + work);
    }

    void finish(double now) {
      done = ends.remove();
      since = now;
    }
  }
}
