package io.shardpress.jobs.statistics;

import io.shardpress.common.storage.Location;
import io.shardpress.jobs.recipe.DataSize;
import java.util.List;

/** What is kept, for people. */
public final class StatisticsReport {
  private static final int SHORT = 12;

  private StatisticsReport() {}

  /** A line per calibration. */
  public static String list(List<KeptCalibration> calibrations) {
    if (calibrations.isEmpty()) {
      return "no statistics are kept here%n".formatted();
    }
    StringBuilder text = new StringBuilder();
    text.append(
        "%-12s  %-20s %7s %9s  %s%n".formatted("address", "made", "inputs", "size", "model"));
    for (KeptCalibration kept : calibrations) {
      String address = kept.address().substring(0, SHORT);
      text.append(
          kept.damage().isPresent()
              ? "%s  DAMAGED: %s%n".formatted(address, kept.damage().get())
              : "%s  %-20s %7d %9s  %s%n"
                  .formatted(
                      address,
                      kept.origin().map(origin -> seconds(origin.made())).orElse("unknown"),
                      kept.inputs().size(),
                      new DataSize(kept.bytes()),
                      kept.origin().map(StatisticsStore.Origin::model).orElse("unknown")));
    }
    return text.toString();
  }

  private static String seconds(String instant) {
    return instant.replaceAll("\\.\\d+Z$", "Z");
  }

  /** A page about one. */
  public static String show(KeptCalibration kept) {
    if (kept.damage().isPresent()) {
      return kept.damage().get() + System.lineSeparator();
    }
    StringBuilder text = new StringBuilder();
    text.append("%-14s %s%n".formatted("address", kept.address()));
    kept.origin()
        .ifPresent(
            origin ->
                text.append("%-14s %s%n".formatted("made", origin.made()))
                    .append("%-14s %s%n".formatted("model at", origin.model()))
                    .append("%-14s %s%n".formatted("data at", String.join(", ", origin.data()))));
    kept.fields().forEach((name, value) -> text.append("%-14s %s%n".formatted(name, value)));
    text.append(
        "%n%-48s %7s %10s %10s  %s%n".formatted("input", "width", "tokens", "size", "note"));
    for (KeptInput input : kept.inputs()) {
      text.append(
          "%-48s %7d %10d %10s  %s%n"
              .formatted(
                  input.input(),
                  input.width(),
                  input.tokens(),
                  new DataSize(input.bytes()),
                  input.action().equals("none") ? "" : input.action()));
    }
    return text.toString();
  }

  /** A line per place, and how many. */
  public static String pruned(List<Location> places, String what) {
    StringBuilder text = new StringBuilder();
    places.forEach(place -> text.append("%s %s%n".formatted(what, place)));
    return text.append("%d %s%n".formatted(places.size(), what)).toString();
  }
}
