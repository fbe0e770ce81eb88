package io.shardpress.integration.benchmarks;

import io.shardpress.operators.model.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * One row of the table.
 *
 * @param cores that took part
 * @param work of one call
 * @param gain what all cores gain over one, round by round in the median; where it was measured
 */
record Measurement(
    String benchmark,
    int cores,
    Work work,
    Precision yardstick,
    List<Round> rounds,
    OptionalDouble gain) {

  Measurement {
    rounds = List.copyOf(rounds);
    if (rounds.isEmpty()) {
      throw new IllegalArgumentException("No rounds of " + benchmark);
    }
  }

  /**
   * A call, and the yardstick next to it.
   *
   * @param seconds of the call
   * @param yardstick in FLOP/s, on as many cores
   */
  record Round(double seconds, double yardstick) {}

  double seconds() {
    return median(Round::seconds);
  }

  /** Work per second. */
  double rate() {
    return median(round -> work.amount() / round.seconds());
  }

  double yardstickRate() {
    return median(Round::yardstick);
  }

  /** The rate as a share of the yardstick in each round; only for floating-point work. */
  Optional<Ratio> ratio() {
    return work.unit() == Work.Unit.FLOP
        ? Optional.of(
            Ratio.of(values(round -> work.amount() / round.seconds() / round.yardstick())))
        : Optional.empty();
  }

  /** The rounds' median, and how far they lie apart. */
  record Ratio(double median, double least, double most) {
    static Ratio of(double... ratios) {
      return new Ratio(
          Measurement.median(ratios),
          Arrays.stream(ratios).min().orElseThrow(),
          Arrays.stream(ratios).max().orElseThrow());
    }
  }

  private double[] values(ToDoubleFunction<Round> value) {
    return rounds.stream().mapToDouble(value).toArray();
  }

  private double median(ToDoubleFunction<Round> value) {
    return median(values(value));
  }

  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
