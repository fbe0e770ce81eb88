package io.shardpress.common.error;

/** What was to be created exists already, made by somebody else or by an earlier attempt. */
public final class OccupiedException extends DestinationException {
  private static final long serialVersionUID = 1L;

  public OccupiedException(String message) {
    super(message);
  }
}
