package io.shardpress.jobs.job;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What happens to a linear.
 *
 * @param steps what each step of the recipe does to it, or why it leaves it alone
 * @param stored how it is published
 */
public record LinearStory(List<Line> steps, String stored) {

  private static final String MARGIN = " ".repeat(8);

  /**
   * @param label the step, as in {@code steps.0 gptq}
   */
  public record Line(String label, String text) {}

  public LinearStory {
    steps = List.copyOf(steps);
  }

  String text() {
    List<Line> lines = new ArrayList<>(steps);
    lines.add(new Line("stored", stored));
    int width = lines.stream().mapToInt(line -> line.label().length()).max().orElseThrow();
    return lines.stream()
        .map(line -> Paragraph.of(MARGIN + line.label(), MARGIN.length() + width + 2, line.text()))
        .collect(Collectors.joining());
  }
}
