package io.shardpress.operators.metrics;

import java.io.Serializable;

/**
 * Sums over the scored positions of one window: negative log-likelihood of the text under the
 * model, and, where a dense model is at hand, its divergence from it.
 *
 * @param tokens scored positions
 * @param loss summed negative log-likelihood in nats
 * @param denseLoss the same under the dense model; 0 without one
 * @param divergence summed KL(dense ‖ model) in nats; 0 without a dense model
 * @param sameTop positions whose most likely token is the dense model's
 * @param probabilityChange summed change of the true token's probability, model minus dense
 * @param squaredProbabilityChange its summed square
 * @param divergences counts per divergence bin, for quantiles
 */
public record WindowMetrics(
    long tokens,
    double loss,
    double denseLoss,
    double divergence,
    long sameTop,
    double probabilityChange,
    double squaredProbabilityChange,
    DivergenceHistogram divergences)
    implements Serializable {

  /** Collects the positions of one window, in order. */
  public static final class Collector {
    private final DivergenceHistogram.Builder histogram = new DivergenceHistogram.Builder();
    private long tokens;
    private double loss;
    private double denseLoss;
    private double divergence;
    private long sameTop;
    private double change;
    private double squaredChange;

    /** Scores {@code target} under {@code logits[offset .. offset + size)}. */
    public void add(float[] logits, int offset, int size, int target) {
      score(new Prediction(logits, offset, size), target);
    }

    /** Scores {@code target} and compares with the dense model's logits of the same position. */
    public void add(float[] logits, float[] dense, int offset, int size, int target) {
      Prediction model = new Prediction(logits, offset, size);
      Prediction reference = new Prediction(dense, offset, size);
      score(model, target);
      denseLoss -= reference.logProbability(target);
      double kl = reference.divergenceFrom(model);
      divergence += kl;
      histogram.add(kl);
      sameTop += model.top() == reference.top() ? 1 : 0;
      double delta =
          Math.exp(model.logProbability(target)) - Math.exp(reference.logProbability(target));
      change += delta;
      squaredChange += delta * delta;
    }

    private void score(Prediction model, int target) {
      tokens++;
      loss -= model.logProbability(target);
    }

    public WindowMetrics result() {
      return new WindowMetrics(
          tokens, loss, denseLoss, divergence, sameTop, change, squaredChange, histogram.build());
    }
  }
}
