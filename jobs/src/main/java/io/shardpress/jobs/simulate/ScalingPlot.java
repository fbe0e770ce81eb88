package io.shardpress.jobs.simulate;

import io.shardpress.jobs.simulate.Svg.Anchor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Draws a report: above the speed-up over the number of executors, on logarithmic axes, with the
 * ideal and the bound that the serial part sets; below which stages the time of each cluster goes
 * to.
 */
public final class ScalingPlot {
  private static final int WIDTH = 800;
  private static final int LEFT = 70;
  private static final int RIGHT = 730;
  private static final int TOP = 60;
  private static final int BOTTOM = 400;
  private static final int LOWEST = BOTTOM - 28;
  private static final int BARS = 492;
  private static final int BAR = 22;
  private static final int BAR_LEFT = 160;
  private static final int BAR_RIGHT = 650;

  /**
   * Told apart by people who are colour-blind, and on white and black; the driver's comes first.
   */
  private static final List<String> COLOURS =
      List.of("#8b949e", "#2f7fd6", "#e08a00", "#0a9b72", "#c85fa0", "#b8a100", "#d65a2b");

  private final ScalingReport report;
  private final int most;
  private final Svg svg;

  private ScalingPlot(ScalingReport report) {
    this.report = report;
    this.most =
        Math.max(
            2, report.curve().stream().mapToInt(ScalingReport.Point::executors).max().orElse(2));
    this.svg =
        new Svg(
            WIDTH,
            BARS + (BAR + 12) * report.clusters().size() + 44,
            "Speed-up of %s by executors".formatted(report.run()));
  }

  /** The drawing, in SVG. */
  public static String svg(ScalingReport report) {
    ScalingPlot plot = new ScalingPlot(report);
    plot.axes();
    plot.bounds();
    plot.curve();
    plot.bars();
    return plot.svg.document();
  }

  private double x(double executors) {
    return LEFT + (RIGHT - LEFT) * Math.log(executors) / Math.log(most);
  }

  private double y(double speedUp) {
    return LOWEST - (LOWEST - TOP) * Math.log(Math.max(1, speedUp)) / Math.log(most);
  }

  private void axes() {
    svg.text("title", Anchor.START, LEFT, 28, "Speed-up over one executor");
    int powers = 1 + (31 - Integer.numberOfLeadingZeros(most)) / 12;
    for (long tick = 1; tick <= most; tick <<= powers) {
      String label = String.format(Locale.ROOT, "%,d", tick);
      svg.line("grid", x((double) tick), TOP, x((double) tick), BOTTOM);
      svg.line("grid", LEFT, y((double) tick), RIGHT, y((double) tick));
      svg.text("note", Anchor.MIDDLE, x((double) tick), BOTTOM + 20, label);
      svg.text("note", Anchor.END, LEFT - 8, y((double) tick) + 4, label);
    }
    svg.line("axis", LEFT, BOTTOM, RIGHT, BOTTOM);
    svg.line("axis", LEFT, TOP, LEFT, BOTTOM);
    int cores = (int) (report.clusters().get(0).cores() / report.clusters().get(0).executors());
    svg.text(
        "",
        Anchor.MIDDLE,
        (LEFT + RIGHT) / 2.0,
        BOTTOM + 42,
        "executors of %d core%s".formatted(cores, cores == 1 ? "" : "s"));
    svg.upwards("", 20, (TOP + BOTTOM) / 2.0, "times as fast");
  }

  private void bounds() {
    svg.line("ideal", x(1), y(1), x(most), y(most));
    svg.text("note", Anchor.END, x(most) - 34, y(most) + 12, "ideal");
    double bound = report.serial().largestSpeedUp();
    if (bound > most) {
      return;
    }
    svg.line("bound", LEFT, y(bound), RIGHT, y(bound));
    // Where the ideal line, which crosses this one, leaves more room.
    boolean low = bound * bound < most;
    svg.text(
        "note",
        low ? Anchor.END : Anchor.START,
        low ? RIGHT : LEFT + 8,
        y(bound) - 9,
        String.format(
            Locale.ROOT,
            "at most %.1f times as fast: %.2f %% of one executor's time is serial",
            bound,
            100 * report.serial().fraction()));
  }

  private void curve() {
    svg.polyline(
        "curve",
        report.curve().stream()
            .flatMap(point -> List.of(x(point.executors()), y(point.speedUp())).stream())
            .mapToDouble(Double::doubleValue)
            .toArray());
    for (ScalingReport.Row row : report.clusters()) {
      double at = x(row.executors());
      boolean last = at > RIGHT - 30;
      svg.circle("point", at, y(row.speedUp()), 4.5);
      svg.text(
          "",
          last ? Anchor.END : Anchor.START,
          last ? at : at + 6,
          y(row.speedUp()) + 20,
          String.format(Locale.ROOT, "%.1f", row.speedUp()));
    }
  }

  private void bars() {
    svg.text("title", Anchor.START, LEFT, BARS - 18, "Where the time goes");
    double top = BARS;
    for (ScalingReport.Row row : report.clusters()) {
      svg.text(
          "",
          Anchor.END,
          BAR_LEFT - 8,
          top + BAR - 6,
          String.format(
              Locale.ROOT, "%,d executor%s", row.executors(), row.executors() == 1 ? "" : "s"));
      double left = BAR_LEFT;
      List<Map.Entry<String, Double>> stages = new ArrayList<>(stages(row).entrySet());
      for (int i = 0; i < stages.size(); i++) {
        double share = stages.get(i).getValue() / row.seconds();
        double width = (BAR_RIGHT - BAR_LEFT) * share;
        String name =
            String.format(
                Locale.ROOT,
                "%s: %s, %.0f %%",
                stages.get(i).getKey(),
                Times.text(stages.get(i).getValue()),
                100 * share);
        svg.rectangle(colour(i), left, top, width, BAR, name);
        if (width > 40) {
          svg.text(
              "inside",
              Anchor.MIDDLE,
              left + width / 2,
              top + BAR - 6,
              String.format(Locale.ROOT, "%.0f %%", 100 * share));
        }
        left += width;
      }
      svg.text("", Anchor.START, BAR_RIGHT + 8, top + BAR - 6, Times.text(row.seconds()));
      top += BAR + 12;
    }
    legend(top + 14);
  }

  private void legend(double top) {
    double left = BAR_LEFT;
    List<String> names = new ArrayList<>(stages(report.clusters().get(0)).keySet());
    for (int i = 0; i < names.size(); i++) {
      svg.rectangle(colour(i), left, top - 11, 12, 12, names.get(i));
      svg.text("", Anchor.START, left + 18, top, names.get(i));
      left += 40 + 7.5 * names.get(i).length();
    }
  }

  private static Map<String, Double> stages(ScalingReport.Row row) {
    Map<String, Double> stages = new LinkedHashMap<>();
    stages.put("driver alone", row.driverSeconds());
    stages.putAll(row.stages());
    return stages;
  }

  private static String colour(int index) {
    return COLOURS.get(index % COLOURS.size());
  }
}
