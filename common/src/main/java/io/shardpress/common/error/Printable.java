package io.shardpress.common.error;

import java.util.regex.Pattern;

/**
 * Text of unknown origin, made fit for a message: short, and without characters that would move the
 * cursor of a terminal, break a line of a log or turn the writing direction.
 */
public final class Printable {
  private static final int LONGEST_EXCERPT = 200;
  private static final int LONGEST_MESSAGE = 8_000;

  /** Controls, formats such as direction marks, halves of pairs, and line separators. */
  private static final Pattern UNPRINTABLE =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

  private static final Pattern LINE_BREAKS = Pattern.compile("\\s*\\R\\s*");

  private Printable() {}

  /** The start of {@code text}, up to {@value #LONGEST_EXCERPT} characters. */
  public static String excerpt(String text) {
    return UNPRINTABLE.matcher(start(text, LONGEST_EXCERPT)).replaceAll("?");
  }

  /** Whether an excerpt is the text itself. */
  public static boolean isPrintable(String text) {
    return excerpt(text).equals(text);
  }

  /** {@link #excerpt} in single quotes. */
  public static String quoted(String text) {
    return "'" + excerpt(text) + "'";
  }

  /** A whole message as one paragraph, whatever went into it. */
  static String paragraph(String message) {
    String oneLine = LINE_BREAKS.matcher(start(message, LONGEST_MESSAGE)).replaceAll(" ");
    return UNPRINTABLE.matcher(oneLine).replaceAll("?");
  }

  private static String start(String text, int longest) {
    return text.length() > longest ? text.substring(0, longest) + "…" : text;
  }
}
