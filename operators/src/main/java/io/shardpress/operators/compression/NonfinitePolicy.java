package io.shardpress.operators.compression;

/** What to do with a weight that holds NaN or infinities. */
public enum NonfinitePolicy {
  /** The layer fails, and with it the run. */
  FAIL,
  /** The layer stays as it is, and the report says so. */
  COPY_UNCHANGED
}
