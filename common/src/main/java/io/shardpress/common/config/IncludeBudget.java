package io.shardpress.common.config;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;

/**
 * How much one document may bring in by includes, counted over all of them: a file that is included
 * twice, by files that are included twice, would be read without end. Used by one thread.
 */
final class IncludeBudget {
  private static final int MOST_DOCUMENTS = 100;
  private static final long MOST_BYTES = 1 << 20;

  private int documents;
  private long bytes;

  /** Counts one more document. */
  void spend(Location file, long length) {
    documents++;
    bytes += length;
    if (documents > MOST_DOCUMENTS || bytes > MOST_BYTES) {
      throw new InputException(
          "The recipe and its includes, up to %s, are more than %d files or %d bytes. Include less, or each file once."
              .formatted(file, MOST_DOCUMENTS, MOST_BYTES));
    }
  }
}
