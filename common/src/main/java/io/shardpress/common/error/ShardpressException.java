package io.shardpress.common.error;

/**
 * Base of every error that Shardpress raises on purpose. The message is one paragraph: what went
 * wrong (with the values), why, and what to do; what cannot be printed is replaced. The type
 * decides the exit code of the command line.
 */
public abstract sealed class ShardpressException extends RuntimeException
    permits UsageException,
        InputException,
        EnvironmentException,
        ResumeRefusedException,
        DestinationException,
        PublishUnknownException,
        FallbackLimitException,
        NumericalException {

  ShardpressException(String message) {
    super(Printable.paragraph(message));
  }

  ShardpressException(String message, Throwable cause) {
    super(Printable.paragraph(message), cause);
  }

  /** The process exit code that reports this error (see the README's table). */
  public abstract int exitCode();
}
