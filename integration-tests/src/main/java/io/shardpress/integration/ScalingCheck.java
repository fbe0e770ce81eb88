package io.shardpress.integration;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.RunCostsReader;
import io.shardpress.jobs.costs.StageCosts;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.jobs.simulate.ScalingReport;
import io.shardpress.jobs.simulate.Simulation;
import io.shardpress.jobs.simulate.SimulationSettings;
import io.shardpress.jobs.simulate.Stragglers;
import io.shardpress.jobs.simulate.WhatIf;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.linalg.KernelChoice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.hadoop.conf.Configuration;

/**
 * Compares what {@code shardpress simulate} says of a recorded run with what Spark needs when the
 * same tasks, in the same jobs, sleep as long as they worked: on as many threads as there are cores
 * in question, most of which this machine need not have. Driver and tasks sleep alike, so that only
 * the scheduling is real.
 */
public final class ScalingCheck {
  private static final int EMPTY_TASKS = 2_000;
  private static final int ROUNDS = 5;

  private ScalingCheck() {}

  /** A piece of work that only takes time. */
  private record Asleep(long nanos) implements Work<Integer> {
    @Override
    public Integer run() {
      sleep(nanos);
      return 0;
    }
  }

  /** Takes the folder of a run and the numbers of cores to try, separated by commas. */
  public static void main(String[] arguments) {
    RunCosts costs =
        RunCostsReader.read(HadoopStore.of(new Configuration()), Location.of(arguments[0]));
    StringBuilder table =
        new StringBuilder(
            "| cores | simulated | asleep | difference |\n| ---: | ---: | ---: | ---: |\n");
    StringBuilder starting = new StringBuilder();
    for (String cores : arguments[1].split(",", -1)) {
      int count = Integer.parseInt(cores);
      double simulated = simulated(costs, count);
      try (Session session =
          Session.start(
              Map.of("spark.master", "local[%d]".formatted(count), "spark.ui.enabled", "false"))) {
        double empty = secondsPerEmptyTask(session);
        double asleep = asleep(session, costs);
        table.append(
            String.format(
                Locale.ROOT,
                "| %d | %.2f s | %.2f s | %+.1f %% |%n",
                count,
                simulated,
                asleep,
                100 * (simulated / asleep - 1)));
        starting.append(
            String.format(
                Locale.ROOT, "a task without work on %d cores: %.2f ms%n", count, 1000 * empty));
      }
    }
    System.out.print(table);
    System.out.print(starting);
  }

  private static double simulated(RunCosts costs, int cores) {
    ScalingReport report =
        Simulation.of(
            "run",
            costs,
            new SimulationSettings(List.of(cores), 1, WhatIf.NOTHING, Stragglers.NONE, 0));
    return report.clusters().get(report.clusters().size() - 1).seconds();
  }

  /** The best of some rounds, the first of which loads classes. */
  private static double secondsPerEmptyTask(Session session) {
    Tasks tasks = session.tasks(KernelChoice.JAVA);
    List<Asleep> work = Collections.nCopies(EMPTY_TASKS, new Asleep(0));
    double best = Double.POSITIVE_INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
      long start = System.nanoTime();
      tasks.run("nothing", work);
      best = Math.min(best, (System.nanoTime() - start) / 1e9);
    }
    return best / EMPTY_TASKS;
  }

  private static double asleep(Session session, RunCosts costs) {
    TaskLog log = new TaskLog();
    Tasks tasks = session.tasks(KernelChoice.JAVA, log);
    double now = 0;
    for (StageCosts stage : costs.stages()) {
      for (JobCosts job : stage.jobs()) {
        sleep(nanos(job.start() - now));
        List<Asleep> work = new ArrayList<>();
        job.seconds().forEach(seconds -> work.add(new Asleep(nanos(seconds))));
        tasks.run(job.description(), work);
        now = job.end();
      }
    }
    sleep(nanos(costs.seconds() - now));
    return log.now();
  }

  private static long nanos(double seconds) {
    return Math.round(seconds * 1e9);
  }

  private static void sleep(long nanos) {
    long end = System.nanoTime() + nanos;
    for (long left = nanos; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(Math.min(left, TimeUnit.SECONDS.toNanos(1)));
    }
  }
}
