package io.shardpress.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.jobs.run.Json;
import io.shardpress.operators.metrics.WindowMetrics;
import java.util.List;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static final int VOCABULARY = 2;

  @Test
  void isThePerplexityOfTheMeanOverWindows() {
    Evaluation evaluation = Evaluation.of(List.of(window(2, 1.0), window(4, 3.0)), 5, false);

    // Mean losses 0.5 and 0.75 per token.
    assertThat(evaluation.perplexity()).isCloseTo(Math.exp(0.625), within(1e-12));
    double deviation = Math.sqrt((0.125 * 0.125 + 0.125 * 0.125) / 1);
    assertThat(evaluation.perplexityError())
        .isCloseTo(Math.exp(0.625) * deviation / Math.sqrt(2), within(1e-12));
    assertThat(evaluation.tokens()).isEqualTo(6);
    assertThat(evaluation.windows()).isEqualTo(2);
    assertThat(evaluation.length()).isEqualTo(5);
    assertThat(evaluation.reference()).isEmpty();
  }

  @Test
  void hasNoErrorOfASingleWindow() {
    assertThat(Evaluation.of(List.of(window(2, 1.0)), 3, false).perplexityError()).isZero();
  }

  @Test
  void comparesWithTheDenseModel() {
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    float[] model = {0, 0};
    float[] dense = {(float) Math.log(3), 0};
    collector.add(model, dense, 0, VOCABULARY, 0);
    collector.add(model, model, 0, VOCABULARY, 1);
    WindowMetrics window = collector.result();

    Evaluation.Divergence found =
        Evaluation.of(List.of(window, window), 3, true).reference().orElseThrow();

    double kl = 0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5);
    assertThat(found.perplexity())
        .isCloseTo(Math.exp(-(Math.log(0.75) + Math.log(0.5)) / 2), within(1e-6));
    assertThat(found.mean()).isCloseTo(kl / 2, within(1e-6));
    assertThat(found.maximum()).isCloseTo(kl, within(1e-6));
    assertThat(found.percentile99()).isCloseTo(kl, within(0.02 * kl));
    assertThat(found.top1()).isEqualTo(1.0);
    assertThat(found.probabilityChange()).isCloseTo(-0.125, within(1e-6));
    assertThat(found.probabilityChangeRms()).isCloseTo(0.25 / Math.sqrt(2), within(1e-6));
  }

  @Test
  void countsTokensOfWhichTheTopDiffers() {
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    collector.add(new float[] {1, 0}, new float[] {0, 1}, 0, VOCABULARY, 0);
    collector.add(new float[] {1, 0}, new float[] {2, 1}, 0, VOCABULARY, 0);
    collector.add(new float[] {1, 0}, new float[] {2, 1}, 0, VOCABULARY, 0);
    collector.add(new float[] {1, 0}, new float[] {2, 1}, 0, VOCABULARY, 0);

    assertThat(Evaluation.of(List.of(collector.result()), 5, true).reference().orElseThrow().top1())
        .isEqualTo(0.75);
  }

  @Test
  void isWrittenWithTheFieldsKeys() {
    WindowMetrics.Collector collector = new WindowMetrics.Collector();
    collector.add(new float[] {1, 0}, new float[] {0, 1}, 0, VOCABULARY, 0);

    assertThat(Json.text(Evaluation.of(List.of(collector.result()), 2, true)))
        .contains("\"perplexity_error\"", "\"p99\"", "\"p999\"", "\"probability_change_rms\"");
    assertThat(Json.text(Evaluation.of(List.of(collector.result()), 2, false)))
        .contains("\"reference\" : null");
  }

  private static WindowMetrics window(long tokens, double loss) {
    return new WindowMetrics(
        tokens, loss, 0, 0, 0, 0, 0, new WindowMetrics.Collector().result().divergences());
  }
}
