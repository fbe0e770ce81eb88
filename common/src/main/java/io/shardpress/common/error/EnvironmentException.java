package io.shardpress.common.error;

/** The surroundings do not serve: versions, memory, storage access, native libraries. */
public sealed class EnvironmentException extends ShardpressException
    permits TransientStorageException {
  private static final long serialVersionUID = 1L;

  public EnvironmentException(String message) {
    super(message);
  }

  public EnvironmentException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 3;
  }
}
