package io.shardpress.jobs.data;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/**
 * Finds places where a text can be cut so that its pieces, tokenized one by one, give the ids of
 * the whole. Such a place lies between a word and white space, and the tokenizer itself is asked:
 * the surroundings must give the same ids in one piece and in two.
 *
 * <p>Pre-tokenizers and merges look no further than their word, so what holds for the surroundings
 * holds for the text. Tokenizers that put a space before each text (SentencePiece's) are served by
 * leaving out the space at the cut; those for which no place passes get their text in one piece.
 */
final class TextCutter {
  /** Characters looked at on each side of a cut. */
  static final int SURROUNDINGS = 128;

  private static final int ATTEMPTS = 64;

  private final Function<String, int[]> tokenizer;

  TextCutter(Function<String, int[]> tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * A cut in a text.
   *
   * @param end where the first piece ends
   * @param resume where the second begins: at the end, or one space after it
   */
  record Cut(int end, int resume) {}

  /** The first good cut at or after {@code from} that has its surroundings within the text. */
  Optional<Cut> find(CharSequence text, int from) {
    int attempts = 0;
    int start = Math.max(from, SURROUNDINGS);
    for (int at = start; at < text.length() - SURROUNDINGS && attempts < ATTEMPTS; at++) {
      if (!Character.isWhitespace(text.charAt(at)) || Character.isWhitespace(text.charAt(at - 1))) {
        continue;
      }
      attempts++;
      boolean singleSpace = text.charAt(at) == ' ' && !Character.isWhitespace(text.charAt(at + 1));
      if (keeps(text, at, at)) {
        return Optional.of(new Cut(at, at));
      }
      if (singleSpace && keeps(text, at, at + 1)) {
        return Optional.of(new Cut(at, at + 1));
      }
    }
    return Optional.empty();
  }

  private boolean keeps(CharSequence text, int end, int resume) {
    int start = end - SURROUNDINGS;
    int stop = end + SURROUNDINGS;
    start += Character.isLowSurrogate(text.charAt(start)) ? 1 : 0;
    stop -= Character.isHighSurrogate(text.charAt(stop - 1)) ? 1 : 0;
    int[] whole = tokenizer.apply(text.subSequence(start, stop).toString());
    int[] left = tokenizer.apply(text.subSequence(start, end).toString());
    int[] right = tokenizer.apply(text.subSequence(resume, stop).toString());
    return whole.length == left.length + right.length
        && Arrays.equals(whole, 0, left.length, left, 0, left.length)
        && Arrays.equals(whole, left.length, whole.length, right, 0, right.length);
  }
}
