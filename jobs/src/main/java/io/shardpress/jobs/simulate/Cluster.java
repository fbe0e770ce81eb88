package io.shardpress.jobs.simulate;

import io.shardpress.common.error.UsageException;

/**
 * What tasks run on.
 *
 * @param executors how many
 * @param coresPerExecutor {@code spark.executor.cores}
 * @param coresPerTask {@code spark.task.cpus}
 */
public record Cluster(int executors, int coresPerExecutor, int coresPerTask) {
  private static final int MOST = 1_000_000;

  public Cluster {
    if (executors < 1 || executors > MOST || coresPerExecutor < 1 || coresPerExecutor > MOST) {
      throw new UsageException(
          "A cluster has 1 to %d executors of 1 to %d cores; %d of %d were asked for."
              .formatted(MOST, MOST, executors, coresPerExecutor));
    }
    if (coresPerExecutor < coresPerTask) {
      throw new UsageException(
          "A task of this run takes %d cores (spark.task.cpus), and an executor of %d runs none. Give --cores %d or more."
              .formatted(coresPerTask, coresPerExecutor, coresPerTask));
    }
  }

  /** Tasks that an executor runs at a time. */
  int slotsPerExecutor() {
    return coresPerExecutor / coresPerTask;
  }

  /** Tasks that all executors run at a time. */
  public long slots() {
    return (long) executors * slotsPerExecutor();
  }

  /** The cores of all executors. */
  public long cores() {
    return (long) executors * coresPerExecutor;
  }

  /** So many executors of the same size. */
  Cluster of(int count) {
    return new Cluster(count, coresPerExecutor, coresPerTask);
  }
}
