package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;

/** Turns what Spark throws when a job dies into an error that says what to do. */
final class TaskFailures {
  private TaskFailures() {}

  static RuntimeException translate(String job, Exception thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfTaskMemory || cause instanceof OutOfMemoryError) {
        return new EnvironmentException(
            "The job '%s' ran out of memory (%s). Give executors more memory (spark.executor.memory and spark.executor.memoryOverhead; in local mode --driver-memory), or run fewer tasks at once (spark.executor.cores)."
                .formatted(job, cause.getMessage()),
            thrown);
      }
    }
    return thrown instanceof RuntimeException unchecked
        ? unchecked
        : new IllegalStateException("The job '%s' failed: %s".formatted(job, root(thrown)), thrown);
  }

  private static Throwable root(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }
}
