package io.shardpress.operators.compression;

/** What to do with a layer that a method cannot solve. */
public enum Fallback {
  /** The layer fails, and with it the run. */
  FAIL,
  /** Round to nearest on the same grid, and report it. */
  RTN
}
