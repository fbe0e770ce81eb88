package io.shardpress.common.config;

import io.shardpress.common.error.InputException;

/**
 * Bounds how deep a HOCON text nests before it is parsed: the parser calls itself once a level, and
 * once for each part of a key. Looks at brackets and dots outside of strings and comments.
 */
final class Nesting {
  private static final int DEEPEST = 100;
  private static final int MOST_KEY_PARTS = 100;

  private Nesting() {}

  /** {@link InputException} for a text that nests deeper than anybody writes. */
  static void check(String origin, String text) {
    int depth = 0;
    int dots = 0;
    int at = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      switch (c) {
        case '"' -> at = stringEnd(text, at) - 1;
        case '#' -> at = lineEnd(text, at) - 1;
        case '/' -> at = text.startsWith("//", at) ? lineEnd(text, at) - 1 : at;
        case '{', '[' -> depth++;
        case '}', ']' -> depth--;
        default -> {
          // a character of a key or value
        }
      }
      dots = c == '.' ? dots + 1 : endsKey(c) ? 0 : dots;
      if (depth > DEEPEST || dots >= MOST_KEY_PARTS) {
        throw new InputException(
            "%s nests objects or lists more than %d deep, or has a key of more than %d parts, near character %d. Write it flatter."
                .formatted(origin, DEEPEST, MOST_KEY_PARTS, at));
      }
      at++;
    }
  }

  private static boolean endsKey(char c) {
    return "{}[],=:\n".indexOf(c) >= 0;
  }

  /** Behind the string that begins here, in one or three quotes; the end where it does not end. */
  private static int stringEnd(String text, int from) {
    if (text.startsWith("\"\"\"", from)) {
      int end = text.indexOf("\"\"\"", from + 3);
      return end < 0 ? text.length() : end + 3;
    }
    int at = from + 1;
    while (at < text.length() && text.charAt(at) != '"' && text.charAt(at) != '\n') {
      at += text.charAt(at) == '\\' ? 2 : 1;
    }
    return Math.min(text.length(), at + 1);
  }

  private static int lineEnd(String text, int from) {
    int end = text.indexOf('\n', from);
    return end < 0 ? text.length() : end;
  }
}
