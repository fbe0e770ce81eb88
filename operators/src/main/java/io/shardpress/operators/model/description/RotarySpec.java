package io.shardpress.operators.model.description;

/**
 * Rotary position embedding (Su et al., 2021) of the first {@code dimensions} of every query and
 * key head, on pairs {@code (i, i + dimensions / 2)}.
 */
public record RotarySpec(int dimensions, double theta, RotaryScaling scaling) {
  public RotarySpec {
    if (dimensions < 2 || dimensions % 2 != 0) {
      throw new IllegalArgumentException("Rotary embedding of " + dimensions + " dimensions");
    }
  }

  /** Radians per position and pair, {@code [dimensions / 2]}, for sequences of this length. */
  public double[] frequencies(int length) {
    double[] frequencies = new double[dimensions / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(theta, -2.0 * i / dimensions);
    }
    return scaling.scaled(frequencies, theta, length);
  }
}
