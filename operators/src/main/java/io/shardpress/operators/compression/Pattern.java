package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.util.regex.Matcher;

/**
 * n:m sparsity: of every m neighbouring inputs of a row, n weights stay and m − n become zero.
 *
 * @param kept n, at least 1
 * @param of m, at most 32
 */
public record Pattern(int kept, int of) implements Sparsity {
  private static final java.util.regex.Pattern TEXT =
      java.util.regex.Pattern.compile("(\\d{1,4}):(\\d{1,4})");
  private static final int WIDEST = 32;

  public Pattern {
    if (kept < 1 || of <= kept || of > WIDEST) {
      throw new InputException(
          "pattern = \"%d:%d\": keep at least 1 of every 2 to %d weights, such as 2:4 or 4:8."
              .formatted(kept, of, WIDEST));
    }
  }

  /** Reads {@code 2:4}. */
  public static Pattern parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new InputException(
          "pattern = \"%s\": give n:m, such as 2:4, to keep n of every m weights.".formatted(text));
    }
    return new Pattern(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
  }

  @Override
  public double share() {
    return (of - kept) / (double) of;
  }

  /** Its groups are smaller than what a share would be taken of. */
  @Override
  public String describe(String among) {
    return "of every %d neighbouring inputs of a row %d stay and %d become zero"
        .formatted(of, kept, of - kept);
  }

  @Override
  public void check(long in) {
    if (in % of != 0) {
      throw new InputException(
          "pattern = \"%s\" does not divide the %d inputs of this linear. Ignore it, or prune it by sparsity = %s."
              .formatted(this, in, share()));
    }
  }

  @Override
  public String toString() {
    return kept + ":" + of;
  }
}
