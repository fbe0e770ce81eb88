package io.shardpress.common.error;

/** The run finished, but more layers fell back than the recipe allows. */
public final class FallbackLimitException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public FallbackLimitException(String message) {
    super(message);
  }

  public FallbackLimitException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 6;
  }
}
