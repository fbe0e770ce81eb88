package io.shardpress.jobs.spark;

/**
 * A task ran out of heap or native memory. The error is told, not kept as the cause: Spark kills a
 * process at an {@link OutOfMemoryError} anywhere in the chain.
 */
final class OutOfTaskMemory extends RuntimeException {
  private static final long serialVersionUID = 1L;

  OutOfTaskMemory(OutOfMemoryError error) {
    super(error.getMessage());
    setStackTrace(error.getStackTrace());
  }
}
