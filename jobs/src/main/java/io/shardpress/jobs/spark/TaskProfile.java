package io.shardpress.jobs.spark;

import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.slf4j.LoggerFactory;

/**
 * How many cores Spark sets aside for each task of a job: more than {@code spark.task.cpus} where
 * an executor's memory takes fewer tasks than it has cores for. The others would be sent there to
 * wait, while an executor with room might have run them; and the few get threads of their own for
 * the cores.
 */
final class TaskProfile {
  private TaskProfile() {}

  /** Tasks of these pieces, with a profile where one helps and the cluster offers it. */
  static <T extends Work<?>> JavaRDD<T> of(
      JavaRDD<T> pieces, List<? extends T> work, SparkConf conf, MemoryBudget budget) {
    int cores = ExecutorCores.of(conf).known();
    int cpus = cpus(cores, conf.getInt("spark.task.cpus", 1), budget, work);
    // With dynamic allocation Spark would start executors of their own for every profile.
    if (cpus == conf.getInt("spark.task.cpus", 1)
        || ExecutorCores.isLocal(conf)
        || conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      return pieces;
    }
    try {
      TaskResourceRequests request = new TaskResourceRequests().cpus(cpus);
      return pieces.withResources(new ResourceProfileBuilder().require(request).build());
    } catch (Exception e) { // Scala throws checked exceptions undeclared
      LoggerFactory.getLogger(TaskProfile.class)
          .info("This cluster has no resource profiles for tasks: {}", e.getMessage());
      return pieces;
    }
  }

  /** The fewest cores per task with which no executor gets more tasks than its memory takes. */
  static int cpus(int cores, int taskCpus, MemoryBudget budget, List<? extends Work<?>> work) {
    int tasks =
        work.stream()
            .mapToInt(piece -> budget.tasksAtOnce(piece.memory()))
            .min()
            .orElse(budget.slots());
    return budget.slots() == 0 || tasks >= budget.slots()
        ? taskCpus
        : Math.max(taskCpus, cores / (tasks + 1) + 1);
  }
}
