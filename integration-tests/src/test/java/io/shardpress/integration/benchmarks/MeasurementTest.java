package io.shardpress.integration.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.integration.benchmarks.JmhResults.Iteration;
import io.shardpress.integration.benchmarks.Measurement.Round;
import io.shardpress.operators.model.Precision;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class MeasurementTest {
  @Test
  void aRatioIsTakenInItsRound() {
    // the machine halves its speed in the third round, and the call with it
    Measurement row = row(Work.flops(100), new Round(1, 200), new Round(1, 200), new Round(2, 100));

    assertThat(row.ratio()).hasValue(new Measurement.Ratio(0.5, 0.5, 0.5));
    assertThat(row.seconds()).isEqualTo(1);
    assertThat(row.rate()).isEqualTo(100);
    assertThat(row.yardstickRate()).isEqualTo(200);
  }

  @Test
  void tellsHowFarTheRoundsLieApart() {
    Measurement row = row(Work.flops(100), new Round(1, 200), new Round(1, 250), new Round(1, 125));

    assertThat(row.ratio()).hasValue(new Measurement.Ratio(0.5, 0.4, 0.8));
  }

  @Test
  void bytesHaveNoRatioToOperations() {
    assertThat(row(Work.bytes(100), new Round(1, 200)).ratio()).isEmpty();
  }

  @Test
  void theMedianOfAnEvenNumberLiesBetween() {
    assertThat(Measurement.median(4, 1, 3, 2)).isEqualTo(2.5);
    assertThat(Measurement.median(3, 1, 2)).isEqualTo(2);
  }

  @Test
  void needsARound() {
    assertThatThrownBy(() -> row(Work.flops(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("No rounds of x");
  }

  @Test
  void anIterationIsComparedWithTheYardsticksAroundIt() {
    List<Measurement> rows =
        JmhResults.of("x", List.of(iteration(1, 100, 60, 0.8), iteration(1, 300, 60, 0.8)));

    assertThat(rows).hasSize(2);
    Measurement all = rows.get(0);
    assertThat(all.rounds()).containsExactly(new Round(1, 200), new Round(1, 300));
    assertThat(all.work()).isEqualTo(Work.flops(20));
    assertThat(all.gain().orElseThrow()).isCloseTo(1.6, within(1e-9));
    Measurement one = rows.get(1);
    assertThat(one.cores()).isEqualTo(1);
    assertThat(one.rounds()).containsExactly(new Round(0.8, 60), new Round(0.8, 60));
    assertThat(one.work()).isEqualTo(Work.flops(10));
  }

  @Test
  void aBenchmarkThatKeepsToOneCoreHasOneRow() {
    Iteration iteration = new Iteration(2, Work.bytes(10), Precision.F32, 0, 60, Work.flops(0), 0);

    assertThat(JmhResults.of("x", List.of(iteration)))
        .containsExactly(
            new Measurement(
                "x",
                1,
                Work.bytes(10),
                Precision.F32,
                List.of(new Round(2, 60)),
                OptionalDouble.empty()));
  }

  private static Iteration iteration(double seconds, double all, double one, double secondsAlone) {
    return new Iteration(
        seconds, Work.flops(20), Precision.BF16, all, one, Work.flops(10), secondsAlone);
  }

  private static Measurement row(Work work, Round... rounds) {
    return new Measurement("x", 2, work, Precision.F32, List.of(rounds), OptionalDouble.empty());
  }
}
