package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import java.io.Serializable;
import java.util.Arrays;

/**
 * Which stretches of the row of all ids become sequences.
 *
 * @param tokens ids of all files, one after the other
 * @param payload ids of the data in one sequence: its length, less one where BOS stands before them
 * @param chosen numbers of the windows that are taken, ascending; window {@code w} holds the ids
 *     from {@code w · payload} on
 */
@SuppressWarnings("ArrayRecordComponent")
record Windows(long tokens, int payload, int[] chosen) implements Serializable {
  private static final long serialVersionUID = 1L;

  /** The windows that the settings ask for; too few tokens are an InputException. */
  static Windows of(DataSettings settings, long tokens, int payload) {
    int windows = (int) Math.min(Integer.MAX_VALUE, tokens / payload);
    int wanted = settings.sequences().orElse(Math.max(1, windows));
    if (wanted > windows) {
      throw new InputException(
          "The data has %d tokens, which make %d sequences of %d tokens each, but %d %s asked for. Give more data, or set 'sequences' or 'length' lower."
              .formatted(tokens, windows, payload, wanted, wanted == 1 ? "is" : "are"));
    }
    return new Windows(tokens, payload, settings.sample().choose(windows, wanted, settings.seed()));
  }

  int sequences() {
    return chosen.length;
  }

  /** Place of window {@code window} among the chosen, or a negative number. */
  int sequenceOf(long window) {
    return window > Integer.MAX_VALUE ? -1 : Arrays.binarySearch(chosen, (int) window);
  }
}
