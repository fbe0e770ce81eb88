package io.shardpress.common.error;

/** An unfinished run at the destination cannot be continued; the message names the difference. */
public final class ResumeRefusedException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public ResumeRefusedException(String message) {
    super(message);
  }

  public ResumeRefusedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 4;
  }
}
