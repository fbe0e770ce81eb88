package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import java.util.regex.Pattern;

/** Turns what Spark throws when a job dies into an error that says what to do. */
public final class TaskFailures {
  private static final Pattern STOPPED =
      Pattern.compile("SparkContext was shut down|stopped SparkContext");

  private TaskFailures() {}

  /** What {@code thrown}, by the Spark job that {@code job} describes, means to the user. */
  public static RuntimeException translate(String job, Exception thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfTaskMemory || cause instanceof OutOfMemoryError) {
        return new EnvironmentException(
            "The job '%s' ran out of memory (%s). Give executors more memory (spark.executor.memory and spark.executor.memoryOverhead; in local mode --driver-memory), or run fewer tasks at once (spark.executor.cores)."
                .formatted(job, cause.getMessage()),
            thrown);
      }
      if (STOPPED.matcher(String.valueOf(cause.getMessage())).find()) {
        return new EnvironmentException(
            "The job '%s' was cut short because Spark was stopped: this process was told to end, or the application was killed. Start the same command again."
                .formatted(job),
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
