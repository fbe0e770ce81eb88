package io.shardpress.operators.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WindowMetricsTest {

  @Test
  void lossAndDivergenceOfAHandComputedPosition() {
    float[] dense = {0f, (float) Math.log(3)}; // p = 1/4, 3/4
    float[] model = {0f, 0f}; // q = 1/2, 1/2
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    collector.add(model, dense, 0, 2, 1);
    WindowMetrics metrics = collector.result();

    double kl = 0.25 * Math.log(0.25 / 0.5) + 0.75 * Math.log(0.75 / 0.5);
    assertThat(metrics.tokens()).isEqualTo(1);
    assertThat(metrics.loss()).isCloseTo(Math.log(2), within(1e-6));
    assertThat(metrics.divergence()).isCloseTo(kl, within(1e-6));
    assertThat(metrics.sameTop()).as("a tie takes the lower id").isZero();
    assertThat(metrics.probabilityChange()).isCloseTo(-0.25, within(1e-6));
    assertThat(metrics.divergences().quantile(0.5)).isCloseTo(kl, within(0.02 * kl));
  }

  @Test
  void equalLogitsDivergeByNothing() {
    float[] logits = {3f, -1e4f, 50f, 49.9f};
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    collector.add(logits, logits, 0, 4, 2);
    assertThat(collector.result().divergence()).isZero();
    assertThat(collector.result().sameTop()).isOne();
  }

  @Test
  void quantilesComeWithinABinAndMergeLikeOneHistogram() {
    long seed = 7;
    Random random = new Random(seed);
    double[] values = random.doubles(10_000).map(u -> Math.exp(10 * u - 12)).toArray();
    DivergenceHistogram.Builder whole = new DivergenceHistogram.Builder();
    List<DivergenceHistogram.Builder> parts =
        IntStream.range(0, 3).mapToObj(i -> new DivergenceHistogram.Builder()).toList();
    for (int i = 0; i < values.length; i++) {
      whole.add(values[i]);
      parts.get(i % 3).add(values[i]);
    }
    double[] sorted = java.util.Arrays.stream(values).sorted().toArray();
    for (double share : new double[] {0.01, 0.5, 0.99, 0.999}) {
      double exact = sorted[(int) (share * values.length) - 1];
      assertThat(whole.build().quantile(share))
          .as("seed %d", seed)
          .isCloseTo(exact, within(0.03 * exact));
    }
    assertThat(
            DivergenceHistogram.merge(
                parts.stream().map(DivergenceHistogram.Builder::build).toList()))
        .isEqualTo(whole.build());
    assertThat(whole.build().maximum()).isEqualTo(sorted[values.length - 1]);
  }
}
