package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;

/**
 * Signed integer codes {@code [−2^(b−1), 2^(b−1)−1]} and how a range of weights is laid on them. A
 * value is {@code (code − zero point) · scale}; the zero point of a symmetric grid is 0.
 *
 * @param bits 2 to 8
 */
public record Grid(int bits, boolean symmetric) implements java.io.Serializable {
  public Grid {
    if (bits < 2 || bits > 8) {
      throw new InputException(
          "bits = %d: integer codes have 2 to 8 bits (runtimes read 2, 3, 4 and 8)."
              .formatted(bits));
    }
  }

  /** The smallest code. */
  public int lowest() {
    return -(1 << (bits - 1));
  }

  /** The largest code. */
  public int highest() {
    return (1 << (bits - 1)) - 1;
  }
}
