package io.shardpress.jobs.data;

/** One row of a data file: a text, or ready token ids. */
sealed interface DataRow {

  /** A text, or the next stretch of one. */
  record Text(String text) implements DataRow {}

  /** Ids as they stand in the file, not yet checked against a vocabulary. */
  @SuppressWarnings("ArrayRecordComponent")
  record Ids(long[] ids) implements DataRow {}
}
