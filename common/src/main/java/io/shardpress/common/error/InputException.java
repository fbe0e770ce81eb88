package io.shardpress.common.error;

/** The user's input was wrong: recipe, checkpoint or data. Nothing was written. */
public non-sealed class InputException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public InputException(String message) {
    super(message);
  }

  public InputException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 2;
  }
}
