package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Optional;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Seeded weights and inputs, and what tests compute from results in F64. */
final class Layers {
  private Layers() {}

  static INDArray gaussian(long seed, int rows, int columns) {
    Random random = new Random(seed);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Floats.of(values, rows, columns);
  }

  /** Inputs whose channels differ in size and share a few directions, as activations do. */
  static INDArray inputs(long seed, int tokens, int channels) {
    Random random = new Random(seed);
    int shared = 8;
    float[] directions = new float[shared * channels];
    float[] sizes = new float[channels];
    for (int i = 0; i < directions.length; i++) {
      directions[i] = (float) random.nextGaussian();
    }
    for (int j = 0; j < channels; j++) {
      sizes[j] = (float) Math.exp(random.nextGaussian());
    }
    float[] x = new float[tokens * channels];
    for (int t = 0; t < tokens; t++) {
      float[] strengths = new float[shared];
      for (int s = 0; s < shared; s++) {
        strengths[s] = (float) random.nextGaussian();
      }
      for (int j = 0; j < channels; j++) {
        float value = (float) random.nextGaussian();
        for (int s = 0; s < shared; s++) {
          value += strengths[s] * directions[s * channels + j];
        }
        x[t * channels + j] = value * sizes[j];
      }
    }
    return Floats.of(x, tokens, channels);
  }

  static InputStatistics statistics(INDArray x) {
    try (StatisticsAccumulator sums =
        new StatisticsAccumulator("input", Floats.columns(x), StatisticsNeed.GRAM)) {
      sums.observe(x);
      return sums.finish();
    }
  }

  static InputStatistics statistics(long seed, int tokens, int channels) {
    try (INDArray x = inputs(seed, tokens, channels)) {
      return statistics(x);
    }
  }

  /** Statistics around a given Gram, as read from a store; takes the Gram over. */
  static InputStatistics around(INDArray gram, long tokens) {
    int n = Floats.columns(gram);
    return new InputStatistics(
        "input", tokens, new double[n], new double[n], new float[n], Optional.of(Gram.of(gram)));
  }

  /** What a runtime will see, row-major. */
  static float[] values(LayerResult result) {
    CompressedWeight weight = result.weight().orElseThrow();
    float[] values = new float[weight.out() * weight.in()];
    float[] row = new float[weight.in()];
    for (int i = 0; i < weight.out(); i++) {
      weight.readRow(i, row);
      System.arraycopy(row, 0, values, i * row.length, row.length);
    }
    return values;
  }

  /** {@code tr((W − Q) G (W − Q)ᵀ)} in F64. */
  static double loss(float[] w, float[] q, float[] gram, int in) {
    double sum = 0;
    double[] difference = new double[in];
    for (int at = 0; at < w.length; at += in) {
      for (int j = 0; j < in; j++) {
        difference[j] = (double) w[at + j] - q[at + j];
      }
      for (int i = 0; i < in; i++) {
        double product = 0;
        for (int j = 0; j < in; j++) {
          product += gram[i * in + j] * difference[j];
        }
        sum += difference[i] * product;
      }
    }
    return sum;
  }
}
