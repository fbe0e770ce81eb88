package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.error.TransientStorageException;
import java.util.regex.Pattern;

/** Turns what Spark throws when a job dies into an error that says what to do. */
public final class TaskFailures {
  private static final Pattern STOPPED =
      Pattern.compile("SparkContext was shut down|stopped SparkContext|LiveListenerBus is stopped");

  private TaskFailures() {}

  /** What {@code thrown}, by the Spark job that {@code job} describes, means to the user. */
  public static RuntimeException translate(String job, Exception thrown) {
    if (thrown instanceof ShardpressException known) {
      return known;
    }
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof TransientStorageException told) {
        return told; // the last of the attempts that Spark grants a task
      }
      if (cause instanceof OutOfTaskMemory told) {
        return outOfMemory(job, told.getMessage(), told.memory(), thrown);
      }
      if (cause instanceof OutOfMemoryError) {
        return outOfMemory(job, cause.getMessage(), OutOfTaskMemory.Memory.HEAP, thrown);
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
        : new IllegalStateException(
            "The job '%s' failed: %s".formatted(job, OutOfTaskMemory.root(thrown)), thrown);
  }

  private static EnvironmentException outOfMemory(
      String job, String why, OutOfTaskMemory.Memory memory, Exception thrown) {
    return new EnvironmentException(
        "The job '%s' ran out of memory (%s). %s".formatted(job, why, memory.remedy()), thrown);
  }
}
