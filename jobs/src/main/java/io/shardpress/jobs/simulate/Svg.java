package io.shardpress.jobs.simulate;

import java.util.Locale;

/** A drawing in the making; lengths are in pixels, the origin is the upper left corner. */
final class Svg {
  /** Where a text stands relative to its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** Ink and paper change places where the reader's screen is dark; the colours suit both. */
  private static final String HEAD =
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" width="%1$d" height="%2$d" role="img">
      <title>%3$s</title>
      <style>
        text { font: 13px sans-serif; fill: #1f2328; }
        .title { font-size: 16px; font-weight: bold; }
        .note { fill: #59636e; }
        .inside { fill: #0d1117; }
        .paper { fill: #ffffff; }
        .grid { stroke: #d1d9e0; }
        .axis { stroke: #59636e; }
        .ideal { stroke: #59636e; stroke-dasharray: 2 4; }
        .bound { stroke: #c2410c; stroke-dasharray: 8 4; }
        .curve { fill: none; stroke: #2f7fd6; stroke-width: 2.5; }
        .point { fill: #2f7fd6; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6edf3; }
          .inside { fill: #0d1117; }
          .note { fill: #9198a1; }
          .paper { fill: #0d1117; }
          .grid { stroke: #3d444d; }
          .axis, .ideal { stroke: #9198a1; }
          .bound { stroke: #f0883e; }
        }
      </style>
      <rect class="paper" width="%1$d" height="%2$d"/>
      """;

  private final StringBuilder text = new StringBuilder();

  Svg(int width, int height, String title) {
    text.append(HEAD.formatted(width, height, escape(title)));
  }

  void line(String style, double x1, double y1, double x2, double y2) {
    append(
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
        style, x1, y1, x2, y2);
  }

  /**
   * @param points their coordinates, x and y in turn
   */
  void polyline(String style, double... points) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < points.length; i += 2) {
      path.append(String.format(Locale.ROOT, "%.1f,%.1f ", points[i], points[i + 1]));
    }
    append("<polyline class=\"%s\" points=\"%s\"/>", style, path.toString().strip());
  }

  void circle(String style, double x, double y, double radius) {
    append("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", style, x, y, radius);
  }

  /** A filled rectangle that tells {@code title} to a pointer above it. */
  void rectangle(String fill, double x, double y, double width, double height, String title) {
    append(
        "<rect fill=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\""
            + " height=\"%.1f\"><title>%s</title></rect>",
        fill, x, y, width, height, escape(title));
  }

  void text(String style, Anchor anchor, double x, double y, String words) {
    append(
        "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>",
        style, anchor.name().toLowerCase(Locale.ROOT), x, y, escape(words));
  }

  /** A text from below upwards, around its point. */
  void upwards(String style, double x, double y, String words) {
    append(
        "<text class=\"%s\" text-anchor=\"middle\" transform=\"translate(%.1f %.1f)"
            + " rotate(-90)\">%s</text>",
        style, x, y, escape(words));
  }

  /** The drawing as a document. */
  String document() {
    return text + "</svg>\n";
  }

  private void append(String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  /** What XML cannot hold becomes a question mark. */
  private static String escape(String words) {
    StringBuilder escaped = new StringBuilder();
    words
        .codePoints()
        .forEach(
            character -> {
              switch (character) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                default ->
                    escaped.appendCodePoint(
                        Character.isISOControl(character)
                                || !Character.isDefined(character)
                                || Character.getType(character) == Character.SURROGATE
                            ? '?'
                            : character);
              }
            });
    return escaped.toString();
  }
}
