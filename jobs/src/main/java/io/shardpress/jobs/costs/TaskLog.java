package io.shardpress.jobs.costs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Gathers what one run's stages, jobs and tasks cost. The driver's thread that runs the stages and
 * their jobs, one after the other, is the only one to use it.
 */
public final class TaskLog {
  /** A tenth of a millisecond: finer than what a task costs to start. */
  private static final double UNITS_PER_SECOND = 1e4;

  private final LongSupplier nanos;
  private final long begin;
  private final List<String> executors = new ArrayList<>();
  private final List<StageCosts> stages = new ArrayList<>();
  private final List<JobCosts> jobs = new ArrayList<>();
  private boolean open;
  private int coresPerExecutor;
  private int coresPerTask = 1;

  /** A log of a run that begins now. */
  public TaskLog() {
    this(System::nanoTime);
  }

  TaskLog(LongSupplier nanos) {
    this.nanos = nanos;
    this.begin = nanos.getAsLong();
  }

  /**
   * What one task reports of itself.
   *
   * @param seconds wall time of its work
   * @param executor as {@code id@host}
   */
  public record Task(double seconds, String executor) {}

  /** Seconds since the run's begin. */
  public double now() {
    return rounded((nanos.getAsLong() - begin) / 1e9);
  }

  /**
   * Runs one stretch of a stage and logs it unless it fails. A stretch within another one is a part
   * of that.
   */
  public <T> T stage(String name, Supplier<T> work) {
    if (open) {
      return work.get();
    }
    double start = now();
    jobs.clear();
    open = true;
    try {
      T result = work.get();
      stages.add(new StageCosts(name, start, now(), jobs));
      return result;
    } finally {
      open = false;
    }
  }

  /**
   * Tells how large the executors are.
   *
   * @param perExecutor 0 where it is not known
   */
  public void cores(int perExecutor, int perTask) {
    coresPerExecutor = perExecutor;
    coresPerTask = perTask;
  }

  /**
   * A job has ended.
   *
   * @param start what {@link #now} said when it was submitted
   * @param tasks in the order of submission
   */
  public void job(String description, String kind, double start, List<Task> tasks) {
    jobs.add(
        new JobCosts(
            description,
            kind,
            start,
            now(),
            tasks.stream().map(task -> rounded(task.seconds())).toList(),
            tasks.stream().map(task -> index(task.executor())).toList()));
  }

  private int index(String executor) {
    int known = executors.indexOf(executor);
    if (known >= 0) {
      return known;
    }
    executors.add(executor);
    return executors.size() - 1;
  }

  /** What has been logged so far. */
  public RunCosts costs(String runId, int blocks, int sequences) {
    return new RunCosts(
        RunCosts.FORMAT,
        runId,
        blocks,
        sequences,
        coresPerExecutor,
        coresPerTask,
        executors,
        now(),
        stages);
  }

  private static double rounded(double seconds) {
    return Math.round(seconds * UNITS_PER_SECOND) / UNITS_PER_SECOND;
  }
}
