package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/**
 * The token ids of one file as a sequence of bounded arrays, in the order of the file. Where one
 * array ends and the next begins follows from the file alone.
 */
final class TokenRuns {
  /** Between the texts of two rows: the convention of published WikiText perplexities. */
  static final String ROW_SEPARATOR = "\n\n";

  /** What one call of a tokenizer may hold of a text that cannot be cut. */
  private static final int LONGEST_PIECE = 1 << 28;

  /** Characters of text, or token ids, in one array, about. */
  static final int RUN = 1 << 18;

  /** What a file holds. */
  enum Kind {
    TEXT,
    IDS
  }

  private final RowReader rows;
  private final Function<String, int[]> tokenizer;
  private final TextCutter cutter;
  private final int length;
  private final int vocabulary;
  private final int run;
  private Optional<DataRow> pending;
  private final Optional<Kind> kind;
  private final StringBuilder text = new StringBuilder();
  private boolean firstText = true;

  /**
   * @param rows closed by the caller
   * @param tokenizer asked for text only
   * @param length ids taken of each row of ready ids
   * @param run about how many characters or ids make one array
   */
  TokenRuns(
      RowReader rows, Function<String, int[]> tokenizer, int length, int vocabulary, int run) {
    this.rows = rows;
    this.tokenizer = tokenizer;
    this.cutter = new TextCutter(tokenizer);
    this.length = length;
    this.vocabulary = vocabulary;
    this.run = run;
    this.pending = rows.next();
    this.kind = pending.map(row -> row instanceof DataRow.Text ? Kind.TEXT : Kind.IDS);
  }

  /** What the file holds, unless it is empty. */
  Optional<Kind> kind() {
    return kind;
  }

  /** The next ids, or empty at the end of the file. */
  Optional<int[]> next() {
    return kind.flatMap(k -> k == Kind.TEXT ? nextOfText() : nextOfIds());
  }

  private Optional<int[]> nextOfText() {
    int enough = run + 2 * TextCutter.SURROUNDINGS;
    while (true) {
      fill(enough);
      if (pending.isEmpty() && text.length() < enough) {
        return text.isEmpty() ? Optional.empty() : Optional.of(piece(text.length(), text.length()));
      }
      Optional<TextCutter.Cut> cut = cutter.find(text, enough - 2 * TextCutter.SURROUNDINGS);
      if (cut.isPresent()) {
        return Optional.of(piece(cut.get().end(), cut.get().resume()));
      }
      if (enough > LONGEST_PIECE) {
        throw new InputException(
            "%s: %d characters without a place where this tokenizer allows a cut. Split the file, or give ready token ids."
                .formatted(rows.position(), text.length()));
      }
      enough += run;
    }
  }

  private void fill(int enough) {
    while (text.length() < enough && pending.isPresent()) {
      if (!(pending.get() instanceof DataRow.Text row)) {
        throw mixed();
      }
      text.append(firstText ? "" : rows.separator()).append(row.text());
      firstText = false;
      pending = rows.next();
    }
  }

  private int[] piece(int end, int resume) {
    int[] ids = tokenizer.apply(text.substring(0, end));
    text.delete(0, resume);
    return ids;
  }

  private Optional<int[]> nextOfIds() {
    int most = Math.max(1, run / length);
    int[] ids = new int[most * length];
    int count = 0;
    while (count < ids.length && pending.isPresent()) {
      if (!(pending.get() instanceof DataRow.Ids row)) {
        throw mixed();
      }
      copy(row.ids(), ids, count);
      count += length;
      pending = rows.next();
    }
    return count == 0 ? Optional.empty() : Optional.of(Arrays.copyOf(ids, count));
  }

  private void copy(long[] row, int[] ids, int start) {
    if (row.length < length) {
      throw new InputException(
          "%s has %d token ids, fewer than length = %d. Set 'length' to at most %d, or remove shorter rows."
              .formatted(rows.position(), row.length, length, row.length));
    }
    for (int i = 0; i < length; i++) {
      if (row[i] < 0 || row[i] >= vocabulary) {
        throw new InputException(
            "%s has the token id %d, but the model has a vocabulary of %d tokens. Check that the ids were made with this model's tokenizer."
                .formatted(rows.position(), row[i], vocabulary));
      }
      ids[start + i] = (int) row[i];
    }
  }

  private InputException mixed() {
    return new InputException(
        "%s holds %s, but earlier rows the other of text and token ids. Give data of one kind."
            .formatted(
                rows.position(),
                pending.orElseThrow() instanceof DataRow.Text ? "text" : "token ids"));
  }
}
