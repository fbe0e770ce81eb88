package io.shardpress.jobs.job;

/** Text beside a label, broken into lines that fit a screen. */
final class Paragraph {
  private static final int WIDTH = 110;

  private Paragraph() {}

  /**
   * @param indent column that the text, but not the label, stands in
   */
  static String of(String label, int indent, String text) {
    StringBuilder lines = new StringBuilder(label);
    lines.append(" ".repeat(Math.max(1, indent - label.length())));
    int column = lines.length();
    boolean begun = false;
    for (String word : text.split(" ", -1)) {
      if (begun && column + 1 + word.length() > WIDTH) {
        lines.append(System.lineSeparator()).append(" ".repeat(indent));
        column = indent;
      } else if (begun) {
        lines.append(' ');
        column++;
      }
      lines.append(word);
      column += word.length();
      begun = true;
    }
    return lines.append(System.lineSeparator()).toString();
  }
}
