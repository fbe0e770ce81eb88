package io.shardpress.operators.compression;

/** How many of the integers of a width a grid uses. */
public enum Levels {
  /** All {@code 2^b} of them. */
  FULL,
  /**
   * {@code 2^b − 1}, from {@code −(2^(b−1) − 1)} on: as many on either side of zero, so that a clip
   * {@code α} is a level itself, as in zero-aligned SAWB.
   */
  ZERO_ALIGNED
}
