package io.shardpress.jobs.simulate;

import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import java.util.List;

/**
 * What Spark takes beside the work, in seconds.
 *
 * @param job from the submission of a job to its first task, and from its last to the driver
 * @param task of a core, per task that it runs
 * @param launch of the driver, which starts one task after the other
 * @param measured in the recorded run, rather than elsewhere
 */
record Overheads(double job, double task, double launch, boolean measured) {
  static final Overheads NONE = new Overheads(0, 0, 0, false);

  /** Measured with tasks that do nothing; see integration-tests/SCALING.md. */
  private static final double LAUNCH = 0.5e-3;

  /** Where a recording does not tell: of the size that recordings on one core show. */
  private static final Overheads USUAL = new Overheads(10e-3, 5e-3, LAUNCH, false);

  /**
   * What the jobs of a run took longer than their tasks explain, as so much per job and so much per
   * task and core: the line of least squares, of which neither part is below zero.
   */
  static Overheads of(RunCosts costs) {
    List<JobCosts> jobs = costs.stages().stream().flatMap(stage -> stage.jobs().stream()).toList();
    if (costs.coresPerExecutor() < costs.coresPerTask() || jobs.isEmpty()) {
      return USUAL;
    }
    Cluster cluster = recordedOn(costs);
    Schedule schedule = new Schedule(cluster, NONE, 0);
    double[] tasks = new double[jobs.size()];
    double[] lost = new double[jobs.size()];
    for (int i = 0; i < jobs.size(); i++) {
      JobCosts job = jobs.get(i);
      tasks[i] = (double) job.seconds().size() / cluster.slots();
      lost[i] = Math.max(0, job.duration() - schedule.seconds(job.seconds()));
    }
    double meanTasks = mean(tasks);
    double meanLost = mean(lost);
    double slope = slope(tasks, lost, meanTasks, meanLost);
    double perTask = Math.min(Math.max(0, slope), meanLost / meanTasks);
    return new Overheads(meanLost - perTask * meanTasks, perTask, Math.min(LAUNCH, perTask), true);
  }

  /** The cluster of the recording, by the executors that ran a task. */
  static Cluster recordedOn(RunCosts costs) {
    return new Cluster(
        Math.max(1, costs.executors().size()), costs.coresPerExecutor(), costs.coresPerTask());
  }

  private static double slope(double[] x, double[] y, double meanX, double meanY) {
    double products = 0;
    double squares = 0;
    for (int i = 0; i < x.length; i++) {
      products += (x[i] - meanX) * (y[i] - meanY);
      squares += (x[i] - meanX) * (x[i] - meanX);
    }
    return squares == 0 ? 0 : products / squares;
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }
}
