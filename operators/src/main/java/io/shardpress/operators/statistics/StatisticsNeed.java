package io.shardpress.operators.statistics;

/** How much of a linear's inputs a method must have seen, from nothing to the whole Gram. */
public enum StatisticsNeed {
  /** Data-free. */
  NONE,
  /** Per-channel sums and maxima, {@code O(n)}. */
  MOMENTS,
  /** Moments and the Gram {@code Σ x xᵀ}, {@code 4n²} bytes. */
  GRAM
}
