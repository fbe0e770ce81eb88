package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClipSearchTest {
  private static final long SEED = 99;

  @ParameterizedTest
  @CsvSource({
    "2, true, 2.4",
    "3, true, 2.4",
    "4, true, 2.4",
    "3, false, 2.4",
    "4, false, 2.4",
    "4, true, 2",
    "4, false, 3.2",
    "3, true, 1.5",
    "4, true, 6"
  })
  void findsTheErrorThatTryingEverythingFinds(int bits, boolean symmetric, double norm) {
    Grid grid = new Grid(bits, symmetric);
    Clip clip = new Clip(Clip.Method.MSE, 100, 0.8, norm);
    for (int trial = 0; trial < 60; trial++) {
      Random random = new Random(SEED + trial);
      float[] group = group(random, new int[] {8, 13, 32, 64, 128, 200}[trial % 6], trial % 4);
      for (DType type : new DType[] {DType.F32, DType.BF16}) {
        GroupRange searched = new GroupRange(grid, clip, type, DType.F32);
        searched.find(group, group.length);
        double found = error(group, grid, searched.scale(), searched.zeroPoint(), norm);
        double best = bestOfAll(group, grid, clip, type);
        assertThat(found)
            .as("seed %d, %s, %s, norm %s", SEED + trial, grid, type, norm)
            .isLessThanOrEqualTo(best * (1 + 1e-5));
        GroupRange plain = new GroupRange(grid, Clip.ABSMAX, type, DType.F32);
        plain.find(group, group.length);
        assertThat(found)
            .as("never worse than absmax, seed %d", SEED + trial)
            .isLessThanOrEqualTo(
                error(group, grid, plain.scale(), plain.zeroPoint(), norm) * (1 + 1e-6));
      }
    }
  }

  @Test
  void eightBitsKeepTheFullRange() {
    float[] group = group(new Random(SEED), 128, 0);
    Grid grid = new Grid(8, true);
    GroupRange searched = new GroupRange(grid, Clip.MSE, DType.F32, DType.F32);
    GroupRange plain = new GroupRange(grid, Clip.ABSMAX, DType.F32, DType.F32);
    searched.find(group, group.length);
    plain.find(group, group.length);
    assertThat(searched.scale()).isEqualTo(plain.scale());
  }

  @Test
  void stepErrorsAreThoseOfThePowerFunction() {
    float[] values = group(new Random(SEED), 4096, 0);
    for (double norm : new double[] {1, 1.5, 2, 2.4, 3, 3.7, 4, 5}) {
      double expected = 0;
      for (float value : values) {
        float t = value * 3.7f + 2;
        expected += Math.pow(Math.abs(Math.rint(t) - t), norm);
      }
      assertThat(new StepErrors(norm).unclipped(values, values.length, 3.7f, 2))
          .as("norm %s", norm)
          .isCloseTo(expected, within(2e-6 * expected));
    }
  }

  /** Gaussian, heavy-tailed, one-sided, or with one outlier. */
  private static float[] group(Random random, int size, int kind) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      double normal = random.nextGaussian();
      values[i] =
          (float)
              switch (kind) {
                case 1 -> normal * normal * normal;
                case 2 -> Math.abs(normal);
                default -> normal;
              };
    }
    if (kind == 3) {
      values[size / 2] = 20;
    }
    return values;
  }

  private static double bestOfAll(float[] group, Grid grid, Clip clip, DType type) {
    float min = 0;
    float max = 0;
    for (float value : group) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    GroupRange range = new GroupRange(grid, Clip.ABSMAX, type, DType.F32);
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < 80; i++) {
      float p = (float) (1 - i / 100.0);
      range.lay(p * min, p * max);
      best = Math.min(best, error(group, grid, range.scale(), range.zeroPoint(), clip.norm()));
    }
    return best;
  }

  private static double error(float[] group, Grid grid, float scale, float zero, double norm) {
    double sum = 0;
    for (float value : group) {
      double code =
          Math.rint(Math.min(Math.max(value / scale + zero, grid.lowest()), grid.highest()));
      sum += Math.pow(Math.abs((code - zero) * scale - value), norm);
    }
    return sum;
  }
}
