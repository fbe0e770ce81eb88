package io.shardpress.jobs.data;

import java.util.Optional;

/**
 * The rows of one file in the order of the file, read as they are asked for. What does not read is
 * an {@link io.shardpress.common.error.InputException} naming the file and the row.
 */
interface RowReader extends AutoCloseable {

  /** The next row, or empty after the last. */
  Optional<DataRow> next();

  /** What stands between the texts of two rows. */
  String separator();

  /** Where the row that {@link #next} returned last stands, for messages. */
  String position();

  @Override
  void close();
}
