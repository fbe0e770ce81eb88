package io.shardpress.integration.benchmarks;

import java.util.List;
import java.util.Locale;

/** Measurements in Markdown. */
final class Table {
  private static final String HEAD =
      """
      | benchmark | cores | median | useful work | rate | yardstick | ratio | gain |
      | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      """;

  private Table() {}

  static String of(List<Measurement> measurements) {
    StringBuilder text = new StringBuilder(HEAD);
    measurements.forEach(measurement -> text.append(row(measurement)).append('\n'));
    return text.toString();
  }

  private static String row(Measurement row) {
    String unit = row.work().unit() == Work.Unit.FLOP ? "FLOP" : "B";
    return "| %s | %d | %s | %s | %s | %s %s | %s | %s |"
        .formatted(
            row.benchmark(),
            row.cores(),
            seconds(row.seconds()),
            giga(row.work().amount(), unit),
            giga(row.rate(), unit + "/s"),
            row.yardstick(),
            giga(row.yardstickRate(), "FLOP/s"),
            row.ratio().map(Table::ratio).orElse(""),
            row.gain().stream().mapToObj(Table::factor).findFirst().orElse(""));
  }

  private static String ratio(Measurement.Ratio ratio) {
    return String.format(
        Locale.ROOT, "%.2f (%.2f-%.2f)", ratio.median(), ratio.least(), ratio.most());
  }

  static String seconds(double seconds) {
    return seconds < 1
        ? String.format(Locale.ROOT, "%.3g ms", 1000 * seconds)
        : String.format(Locale.ROOT, "%.2f s", seconds);
  }

  static String factor(double factor) {
    return String.format(Locale.ROOT, "%.2f", factor);
  }

  static String giga(double amount, String unit) {
    double giga = amount / 1e9;
    String number = giga < 10 ? "%.2f" : "%.0f";
    return String.format(Locale.ROOT, number, giga) + " G" + unit;
  }
}
