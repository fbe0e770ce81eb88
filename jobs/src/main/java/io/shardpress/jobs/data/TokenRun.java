package io.shardpress.jobs.data;

import java.io.Serializable;

/** What a tokenizing task gives: a stretch of token ids, or the reason why a file is of no use. */
sealed interface TokenRun extends Serializable {

  /**
   * Ids number {@code index} of a file.
   *
   * @param file {@link DataFile#index()}
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Tokens(int file, int index, TokenRuns.Kind kind, int[] ids) implements TokenRun {
    private static final long serialVersionUID = 1L;

    Count count() {
      return new Count(file, index, kind, ids.length);
    }
  }

  /** An error of the user's data, kept as a value so that Spark does not try the task again. */
  record Failure(int file, String message) implements TokenRun {
    private static final long serialVersionUID = 1L;
  }

  /** What the driver learns of a stretch: how many ids it has. */
  record Count(int file, int index, TokenRuns.Kind kind, int tokens) implements Serializable {
    private static final long serialVersionUID = 1L;
  }
}
