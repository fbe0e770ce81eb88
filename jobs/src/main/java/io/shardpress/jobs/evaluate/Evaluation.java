package io.shardpress.jobs.evaluate;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.shardpress.operators.metrics.DivergenceHistogram;
import io.shardpress.operators.metrics.WindowMetrics;
import java.util.List;
import java.util.Optional;

/**
 * What a model scored on a text.
 *
 * @param perplexity {@code exp} of the mean negative log-likelihood over windows
 * @param perplexityError its standard error over windows
 * @param tokens scored positions
 * @param windows windows of {@code length} tokens
 * @param reference comparison with the dense model, where one was given
 */
public record Evaluation(
    double perplexity,
    double perplexityError,
    long tokens,
    int windows,
    int length,
    Optional<Divergence> reference) {

  /**
   * The dense model on the same windows, and the distance from its distributions in nats per token.
   *
   * @param perplexity of the dense model
   * @param mean mean KL(dense ‖ model)
   * @param top1 share of positions with the same most likely token
   * @param probabilityChange mean change of the true token's probability; {@code Rms} its root mean
   *     square
   */
  public record Divergence(
      double perplexity,
      double mean,
      double median,
      @JsonProperty("p99") double percentile99,
      @JsonProperty("p999") double percentile999,
      double maximum,
      double top1,
      double probabilityChange,
      double probabilityChangeRms) {}

  /** Sums windows in their order. */
  static Evaluation of(List<WindowMetrics> windows, int length, boolean compared) {
    double sum = 0;
    double squares = 0;
    long tokens = 0;
    for (WindowMetrics window : windows) {
      double mean = window.loss() / window.tokens();
      sum += mean;
      squares += mean * mean;
      tokens += window.tokens();
    }
    int count = windows.size();
    double mean = sum / count;
    double variance = count > 1 ? Math.max(0, (squares - count * mean * mean) / (count - 1)) : 0;
    double perplexity = Math.exp(mean);
    return new Evaluation(
        perplexity,
        perplexity * Math.sqrt(variance / count),
        tokens,
        count,
        length,
        compared ? Optional.of(divergence(windows, tokens)) : Optional.empty());
  }

  private static Divergence divergence(List<WindowMetrics> windows, long tokens) {
    double sum = 0;
    double denseLoss = 0;
    double change = 0;
    double squaredChange = 0;
    long sameTop = 0;
    for (WindowMetrics window : windows) {
      sum += window.divergence();
      denseLoss += window.denseLoss() / window.tokens();
      change += window.probabilityChange();
      squaredChange += window.squaredProbabilityChange();
      sameTop += window.sameTop();
    }
    DivergenceHistogram all =
        DivergenceHistogram.merge(windows.stream().map(WindowMetrics::divergences).toList());
    return new Divergence(
        Math.exp(denseLoss / windows.size()),
        sum / tokens,
        all.quantile(0.5),
        all.quantile(0.99),
        all.quantile(0.999),
        all.maximum(),
        (double) sameTop / tokens,
        change / tokens,
        Math.sqrt(squaredChange / tokens));
  }
}
