package io.shardpress.common.error;

/** The command line was wrong: an unknown command, option or argument. */
public final class UsageException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }

  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 1;
  }
}
