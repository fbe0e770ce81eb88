package io.shardpress.common.error;

/**
 * The last step of publishing may or may not have happened: storage did not answer. Nothing is
 * removed; the message says how to find out.
 */
public final class PublishUnknownException extends ShardpressException {
  private static final long serialVersionUID = 1L;

  public PublishUnknownException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public int exitCode() {
    return 3;
  }
}
