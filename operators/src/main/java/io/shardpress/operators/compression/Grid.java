package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;

/**
 * Signed integer codes {@code [−2^(b−1), 2^(b−1)−1]} and how a range of weights is laid on them. A
 * value is {@code (code − zero point) · scale}; the zero point of a symmetric grid is 0.
 *
 * @param bits 2 to 8
 * @param levels all of these codes, or one less than that; files look the same
 */
public record Grid(int bits, boolean symmetric, Levels levels) implements java.io.Serializable {
  public Grid {
    if (bits < 2 || bits > 8) {
      throw new InputException(
          "bits = %d: integer codes have 2 to 8 bits (runtimes read 2, 3, 4 and 8)."
              .formatted(bits));
    }
    if (levels == Levels.ZERO_ALIGNED && !symmetric) {
      throw new InputException(
          "levels = zero-aligned goes with symmetric = true: an asymmetric grid has its zero"
              + " anywhere.");
    }
  }

  /** All codes of a width. */
  public Grid(int bits, boolean symmetric) {
    this(bits, symmetric, Levels.FULL);
  }

  /** The smallest code. */
  public int lowest() {
    return -(1 << (bits - 1)) + (levels == Levels.ZERO_ALIGNED ? 1 : 0);
  }

  /** The largest code. */
  public int highest() {
    return (1 << (bits - 1)) - 1;
  }
}
