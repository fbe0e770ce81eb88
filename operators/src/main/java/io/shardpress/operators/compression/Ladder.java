package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.List;

/**
 * The dampings that a factorization is tried with, in turn.
 *
 * @param damping share of the mean diagonal that is added to a Gram
 * @param factors rising factors on it
 */
record Ladder(double damping, List<Double> factors) {
  Ladder {
    factors = List.copyOf(factors);
    if (!(damping > 0 && damping <= 1)) {
      throw new InputException(
          "damping = %s: give a share of the mean diagonal above 0, at most 1.".formatted(damping));
    }
    double last = 0;
    for (double factor : factors) {
      if (!(factor > last && Double.isFinite(factor))) {
        throw new InputException(
            "damping-ladder = %s: give rising positive factors.".formatted(factors));
      }
      last = factor;
    }
    if (factors.isEmpty()) {
      throw new InputException("damping-ladder = []: give at least one factor, such as [1].");
    }
  }

  /** Whether a damping is the one that was asked for. */
  boolean isFirst(double used) {
    return used == damping * factors.get(0);
  }
}
