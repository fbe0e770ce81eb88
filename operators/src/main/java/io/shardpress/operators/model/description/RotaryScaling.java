package io.shardpress.operators.model.description;

import java.util.List;

/** How a model stretches its rotary frequencies beyond the length it was trained on. */
public sealed interface RotaryScaling {

  /** The frequencies (radians per position) to use instead, for sequences of this length. */
  double[] scaled(double[] frequencies, double theta, int length);

  /** What cosines and sines are multiplied with. */
  default double attentionFactor() {
    return 1;
  }

  /** None. */
  record Unscaled() implements RotaryScaling {
    @Override
    public double[] scaled(double[] frequencies, double theta, int length) {
      return frequencies;
    }
  }

  /** Positions divided by {@code factor}. */
  record Linear(double factor) implements RotaryScaling {
    @Override
    public double[] scaled(double[] frequencies, double theta, int length) {
      return map(frequencies, (i, frequency) -> frequency / factor);
    }
  }

  /**
   * Llama 3.1: long wavelengths divided by {@code factor}, short ones kept, a ramp between.
   *
   * @param trained the context length before stretching
   */
  record Llama3(double factor, double lowFactor, double highFactor, double trained)
      implements RotaryScaling {
    @Override
    public double[] scaled(double[] frequencies, double theta, int length) {
      return map(
          frequencies,
          (i, frequency) -> {
            double turns = trained * frequency / (2 * Math.PI);
            double kept = clamp((turns - lowFactor) / (highFactor - lowFactor));
            return (1 - kept) * frequency / factor + kept * frequency;
          });
    }
  }

  /**
   * YaRN (Peng et al., 2023): a ramp over the pair index, between pairs that turn {@code betaFast}
   * and {@code betaSlow} times within the trained length.
   */
  record Yarn(
      double factor, double betaFast, double betaSlow, double trained, double attentionFactor)
      implements RotaryScaling {
    @Override
    public double[] scaled(double[] frequencies, double theta, int length) {
      int pairs = frequencies.length;
      double low = Math.max(Math.floor(pairOf(betaFast, pairs, theta)), 0);
      double high = Math.min(Math.ceil(pairOf(betaSlow, pairs, theta)), 2 * pairs - 1);
      double span = high == low ? 0.001 : high - low;
      return map(
          frequencies,
          (i, frequency) -> {
            double stretched = clamp((i - low) / span);
            return stretched * frequency / factor + (1 - stretched) * frequency;
          });
    }

    private double pairOf(double turns, int pairs, double theta) {
      return pairs * Math.log(trained / (turns * 2 * Math.PI)) / Math.log(theta);
    }
  }

  /**
   * LongRoPE (Ding et al., 2024): one divisor per pair, from one list up to the trained length and
   * from another beyond it.
   */
  record LongRope(
      List<Double> shortFactors, List<Double> longFactors, double trained, double attentionFactor)
      implements RotaryScaling {
    public LongRope {
      shortFactors = List.copyOf(shortFactors);
      longFactors = List.copyOf(longFactors);
    }

    @Override
    public double[] scaled(double[] frequencies, double theta, int length) {
      List<Double> factors = length > trained ? longFactors : shortFactors;
      return map(frequencies, (i, frequency) -> frequency / factors.get(i));
    }
  }

  /** A change of one pair's frequency. */
  interface PairFunction {
    double apply(int pair, double frequency);
  }

  private static double[] map(double[] frequencies, PairFunction function) {
    double[] result = new double[frequencies.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = function.apply(i, frequencies[i]);
    }
    return result;
  }

  private static double clamp(double share) {
    return Math.max(0, Math.min(1, share));
  }
}
