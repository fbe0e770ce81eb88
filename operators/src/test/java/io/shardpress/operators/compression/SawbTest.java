package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SawbTest {
  private static final long SEED = 31;

  private static float[] sample(int count, ToDoubleFunction<Random> density) {
    Random random = new Random(SEED);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) density.applyAsDouble(random);
    }
    return values;
  }

  private static double laplace(Random random) {
    double u = random.nextDouble() - 0.5;
    return -Math.signum(u) * Math.log(1 - 2 * Math.abs(u));
  }

  private static double error(float[] values, int bits, double clip) {
    int levels = (1 << (bits - 1)) - 1;
    double step = clip / levels;
    double sum = 0;
    for (float value : values) {
      double code = Math.max(-levels, Math.min(levels, Math.rint(value / step)));
      double error = value - code * step;
      sum += error * error;
    }
    return sum;
  }

  /** The constants are a fit over several densities: a few percent above the least error. */
  @ParameterizedTest
  @CsvSource({"2", "3", "4", "5"})
  void theClipIsNearTheBest(int bits) {
    for (float[] values :
        new float[][] {sample(20_000, Random::nextGaussian), sample(20_000, SawbTest::laplace)}) {
      double largest = 0;
      for (float value : values) {
        largest = Math.max(largest, Math.abs(value));
      }
      double least = Double.MAX_VALUE;
      for (double clip = largest / 100; clip <= largest; clip += largest / 200) {
        least = Math.min(least, error(values, bits, clip));
      }
      float clip = Sawb.clip(bits, values, values.length, (float) largest);
      assertThat(error(values, bits, clip))
          .as("seed %d: %d bits, clip %s", SEED, bits, clip)
          .isLessThan(1.06 * least);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 2.6, -1.71", "4, 12.035, -12.03", "7, 28.24, -30.81", "8, 31.76, -35.04"})
  void theScaleIsThatOfThePublishedFormula(int bits, double c1, double c2) {
    float[] values = sample(128, Random::nextGaussian);
    double squares = 0;
    double magnitudes = 0;
    for (float value : values) {
      squares += (double) value * value;
      magnitudes += Math.abs(value);
    }
    double clip = c1 * Math.sqrt(squares / 128) + c2 * magnitudes / 128;
    Grid grid = new Grid(bits, true, Levels.ZERO_ALIGNED);
    GroupRange range = new GroupRange(grid, Clip.SAWB, DType.F32, DType.F32);
    range.find(values, 128);
    assertThat((double) range.scale()).isCloseTo(clip / grid.highest(), within(1e-6 * clip));
    assertThat(range.zeroPoint()).isZero();
    GroupRange stored = new GroupRange(grid, Clip.SAWB, DType.BF16, DType.F32);
    stored.find(values, 128);
    assertThat(stored.scale()).isEqualTo(FloatCodec.roundTo(DType.BF16, range.scale()));
  }

  /** Where all magnitudes are equal the formula may give nothing positive. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void aClipThatIsNotPositiveIsReplacedByTheLargestWeight(int bits) {
    float[] equal = {0.5f, -0.5f, 0.5f, -0.5f};
    assertThat(Sawb.clip(bits, equal, 4, 0.5f)).isPositive();
    assertThat(Sawb.clip(bits, new float[4], 4, 0)).isZero();
    GroupRange range =
        new GroupRange(new Grid(bits, true, Levels.ZERO_ALIGNED), Clip.SAWB, DType.F32, DType.F32);
    range.find(new float[4], 4);
    assertThat(range.scale()).as("of a group of zeros").isPositive();
  }
}
