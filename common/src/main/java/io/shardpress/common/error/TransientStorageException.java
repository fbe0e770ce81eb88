package io.shardpress.common.error;

/**
 * Storage failed in a way that may pass, after its own client had tried again: a connection that
 * broke, a server that was busy, an answer cut short. Work that meets it is worth doing again.
 */
public final class TransientStorageException extends EnvironmentException {
  private static final long serialVersionUID = 1L;

  public TransientStorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
