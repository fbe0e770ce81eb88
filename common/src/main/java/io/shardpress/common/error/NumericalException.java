package io.shardpress.common.error;

/**
 * Values that no method can work on: non-finite weights, scales or statistics, a Gram that no
 * damping cures.
 */
public final class NumericalException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public NumericalException(String message) {
    super(message);
  }

  public NumericalException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 2;
  }
}
