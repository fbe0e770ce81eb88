package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Inputs of a linear that are correlated as real ones are. */
final class Inputs {
  private static final int TOKENS = 4096;
  private static final int BATCHES = 4;

  private Inputs() {}

  /**
   * Statistics of {@code x = z·A + noise} over 16384 tokens: an eighth as many independent {@code
   * z} as channels, with a spectrum that falls off like one over the rank.
   */
  static InputStatistics correlated(int channels) {
    int ranks = Math.max(1, channels / 8);
    try (INDArray mixing = mixing(ranks, channels);
        StatisticsAccumulator sums =
            new StatisticsAccumulator("benchmark", channels, StatisticsNeed.GRAM)) {
      for (int batch = 0; batch < BATCHES; batch++) {
        try (INDArray z = Matrices.normal(Precision.BF16, TOKENS, ranks, 100 + batch);
            INDArray x = Products.times(z, mixing)) {
          addNoise(x, batch);
          try (INDArray rounded = BFloats.rounded(x)) {
            sums.observe(rounded);
          }
        }
      }
      return sums.finish();
    }
  }

  private static INDArray mixing(int ranks, int channels) {
    INDArray mixing = Matrices.normal(Precision.F32, ranks, channels, 1);
    float[] row = new float[channels];
    for (int i = 0; i < ranks; i++) {
      Floats.readRow(mixing, i, row);
      for (int j = 0; j < channels; j++) {
        row[j] /= i + 1;
      }
      Floats.writeRow(mixing, i, row);
    }
    return Matrices.rounded(mixing);
  }

  private static void addNoise(INDArray x, long seed) {
    float[] row = new float[Floats.columns(x)];
    float[] noise = new float[row.length];
    try (INDArray values = Matrices.normal(Precision.F32, Floats.rows(x), row.length, seed)) {
      for (int i = 0; i < Floats.rows(x); i++) {
        Floats.readRow(x, i, row);
        Floats.readRow(values, i, noise);
        for (int j = 0; j < row.length; j++) {
          row[j] += 0.1f * noise[j];
        }
        Floats.writeRow(x, i, row);
      }
    }
  }
}
