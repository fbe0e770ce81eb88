package io.shardpress.common.error;

/** The destination is occupied, not writable, or taken by another run. */
public sealed class DestinationException extends ShardpressException permits OccupiedException {
  private static final long serialVersionUID = 1L;

  public DestinationException(String message) {
    super(message);
  }

  public DestinationException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 5;
  }
}
