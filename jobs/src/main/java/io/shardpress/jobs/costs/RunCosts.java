package io.shardpress.jobs.costs;

import java.util.List;

/**
 * What {@code tasks.json} beside a published checkpoint holds: the cost of every task of the run,
 * and when its stages and jobs began and ended. The schema is versioned by {@link #FORMAT}; keys
 * are only added within a version.
 *
 * @param runId as in {@code run.json}
 * @param blocks of the model; 0 for an unknown family
 * @param sequences that the run calibrated on; 0 without calibration
 * @param coresPerExecutor 0 where Spark does not say
 * @param coresPerTask {@code spark.task.cpus}
 * @param executors that ran tasks, as {@code id@host}
 * @param seconds from the run's begin to the writing of this file, which is nearly its end
 * @param stages one after the other
 */
public record RunCosts(
    String format,
    String runId,
    int blocks,
    int sequences,
    int coresPerExecutor,
    int coresPerTask,
    List<String> executors,
    double seconds,
    List<StageCosts> stages) {

  public static final String FORMAT = "shardpress-tasks/1";
  public static final String FILE_NAME = "tasks.json";

  public RunCosts {
    executors = List.copyOf(executors);
    stages = List.copyOf(stages);
    if (blocks < 0 || sequences < 0 || coresPerExecutor < 0 || coresPerTask < 1) {
      throw new IllegalArgumentException(
          "%d blocks, %d sequences, %d cores per executor and %d per task: none is below zero, and a task has a core"
              .formatted(blocks, sequences, coresPerExecutor, coresPerTask));
    }
    double before = 0;
    for (StageCosts stage : stages) {
      if (stage.start() < before || stage.end() > seconds) {
        throw new IllegalArgumentException(
            "The stage '%s' (%s s to %s s) is not between the stage before it and the end of the run (%s s to %s s)"
                .formatted(stage.stage(), stage.start(), stage.end(), before, seconds));
      }
      before = stage.end();
      for (JobCosts job : stage.jobs()) {
        requireKnown(job, executors.size());
      }
    }
  }

  private static void requireKnown(JobCosts job, int executors) {
    for (int executor : job.executors()) {
      if (executor < 0 || executor >= executors) {
        throw new IllegalArgumentException(
            "A task of the job '%s' ran on executor %d of %d"
                .formatted(job.description(), executor, executors));
      }
    }
  }

  /** All tasks of all jobs. */
  public int tasks() {
    return stages.stream()
        .flatMap(stage -> stage.jobs().stream())
        .mapToInt(job -> job.seconds().size())
        .sum();
  }
}
