package io.shardpress.operators.linalg;

/** A factorization met a pivot that is not positive: the caller may raise the damping and retry. */
public final class NotPositiveDefiniteException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NotPositiveDefiniteException(int minor) {
    super("The leading minor of order %d is not positive definite".formatted(minor));
  }
}
