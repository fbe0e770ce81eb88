package io.shardpress.operators.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.linalg.Floats;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class InputStatisticsTest {
  private static final long SEED = 1234;

  private static float[] gaussian(long seed, int count) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static InputStatistics of(float[] x, int n) {
    try (INDArray array = Floats.of(x, x.length / n, n);
        StatisticsAccumulator sums = new StatisticsAccumulator("in", n, StatisticsNeed.GRAM)) {
      sums.observe(array);
      return sums.finish();
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 5", "33, 17", "100, 32"})
  void sumsAreThoseOfTheTokens(int tokens, int n) {
    float[] x = gaussian(SEED, tokens * n);
    try (InputStatistics statistics = of(x, n)) {
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      assertThat(statistics.tokens()).isEqualTo(tokens);
      for (int i = 0; i < n; i++) {
        double abs = 0;
        double max = 0;
        for (int t = 0; t < tokens; t++) {
          abs += Math.abs(x[t * n + i]);
          max = Math.max(max, Math.abs(x[t * n + i]));
        }
        assertThat(statistics.sumAbs()[i]).isCloseTo(abs, within(1e-6 * abs));
        assertThat(statistics.maxAbs()[i]).isEqualTo((float) max);
        for (int j = 0; j < n; j++) {
          double product = 0;
          for (int t = 0; t < tokens; t++) {
            product += (double) x[t * n + i] * x[t * n + j];
          }
          assertThat(gram[i * n + j])
              .as("seed %d, %d,%d", SEED, i, j)
              .isCloseTo((float) product, within(1e-5f * tokens));
        }
        assertThat(statistics.sumSquares()[i]).isCloseTo(gram[i * n + i], within(1e-5 * tokens));
      }
    }
  }

  @Test
  void chunksFoldToTheWholeAndRepeatBitForBit() {
    int n = 24;
    List<InputStatistics> chunks = new ArrayList<>();
    float[] all = new float[5 * 40 * n];
    for (int c = 0; c < 5; c++) {
      float[] x = gaussian(SEED + c, 40 * n);
      System.arraycopy(x, 0, all, c * x.length, x.length);
      chunks.add(of(x, n));
    }
    try (InputStatistics folded = InputStatistics.fold(chunks);
        InputStatistics again = InputStatistics.fold(chunks);
        InputStatistics whole = of(all, n)) {
      float[] gram = Floats.toArray(folded.gram().flatMap(Gram::matrix).orElseThrow());
      float[] expected = Floats.toArray(whole.gram().flatMap(Gram::matrix).orElseThrow());
      for (int i = 0; i < gram.length; i++) {
        assertThat(gram[i]).as("seed %d", SEED).isCloseTo(expected[i], within(1e-3f));
      }
      assertThat(Floats.toArray(again.gram().flatMap(Gram::matrix).orElseThrow())).isEqualTo(gram);
      assertThat(again.sumAbs()).isEqualTo(folded.sumAbs());
      assertThat(folded.tokens()).isEqualTo(200);
      assertThat(folded.maxAbs()).isEqualTo(whole.maxAbs());
      // The parts stay usable.
      assertThat(Floats.toArray(chunks.get(0).gram().flatMap(Gram::matrix).orElseThrow())[0])
          .isPositive();
    } finally {
      chunks.forEach(InputStatistics::close);
    }
  }

  @Test
  void foldingAddsInF64() {
    // In F32 the small chunks would vanish one by one beside the large one.
    List<InputStatistics> parts = new ArrayList<>();
    parts.add(of(new float[] {4096}, 1));
    for (int i = 0; i < 64; i++) {
      parts.add(of(new float[] {0.5f}, 1));
    }
    try (InputStatistics folded = InputStatistics.fold(parts)) {
      assertThat(Floats.toArray(folded.gram().flatMap(Gram::matrix).orElseThrow())[0])
          .isEqualTo(16777216f + 16);
    } finally {
      parts.forEach(InputStatistics::close);
    }
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity", "-Infinity"})
  void oneBadTokenIsNamedAtOnce(float bad) {
    float[] x = gaussian(SEED, 60);
    x[33] = bad;
    assertThatThrownBy(() -> of(x, 6))
        .isInstanceOf(NumericalException.class)
        .hasMessageStartingWith("The statistics of input in are not finite (channel 3")
        .hasMessageContaining("Check the dense model");
  }

  @Test
  void aGramBeyondF32IsNamedWhenFolded() {
    try (InputStatistics large = of(new float[] {1.8e19f}, 1)) {
      assertThatThrownBy(() -> InputStatistics.fold(List.of(large, large)))
          .isInstanceOf(NumericalException.class)
          .hasMessageContaining("Gram diagonal 0");
    }
  }

  @Test
  void differentInputsAreNotAdded() {
    try (InputStatistics left = of(new float[] {1, 2}, 2);
        InputStatistics right = of(new float[] {1, 2, 3}, 3)) {
      assertThatThrownBy(() -> InputStatistics.fold(List.of(left, right)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("in (3 channels, with Gram)")
          .hasMessageContaining("in (2 channels, with Gram)");
    }
  }

  @Test
  void storedStatisticsComeBackBitForBit() {
    try (InputStatistics statistics = of(gaussian(SEED, 200), 10)) {
      Map<String, RawTensor> stored = stored(statistics);
      assertThat(stored.values().stream().map(RawTensor::spec))
          .contains(
              TensorSpec.of("in.gram.0.0", DType.F32, 55),
              TensorSpec.of("in.tokens", DType.I64, 1));
      try (InputStatistics back = StoredStatistics.read("in", stored)) {
        assertThat(Floats.toArray(back.gram().flatMap(Gram::matrix).orElseThrow()))
            .isEqualTo(Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow()));
        assertThat(back.sumAbs()).isEqualTo(statistics.sumAbs());
        assertThat(back.sumSquares()).isEqualTo(statistics.sumSquares());
        assertThat(back.maxAbs()).isEqualTo(statistics.maxAbs());
        assertThat(back.tokens()).isEqualTo(20);
      }
    }
  }

  @Test
  void storedStatisticsThatDoNotFitAreRefused() {
    Map<String, RawTensor> stored;
    try (InputStatistics statistics = of(gaussian(SEED, 200), 10)) {
      stored = stored(statistics);
    }
    RawTensor gram = stored.get("in.gram.0.0");
    stored.put(
        "in.gram.0.0", new RawTensor(TensorSpec.of("in.gram.0.0", DType.F32, 11, 5), gram.bytes()));
    assertThatThrownBy(() -> StoredStatistics.read("in", stored))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("in.gram.0.0 are F32 [11, 5], expected F32 [55]");
    stored.put("in.gram.0.0", gram);
    gram.data().putFloat(8, Float.NaN);
    assertThatThrownBy(() -> StoredStatistics.read("in", stored))
        .isInstanceOf(NumericalException.class)
        .hasMessageContaining("Gram row 0");
    stored.remove("in.sum_abs");
    assertThatThrownBy(() -> StoredStatistics.read("in", stored))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no tensor in.sum_abs");
  }

  @Test
  void momentsAloneNeedNoGram() {
    try (StatisticsAccumulator sums = new StatisticsAccumulator("in", 2, StatisticsNeed.MOMENTS);
        INDArray x = Floats.of(new float[] {1, -2, 3, 4}, 2, 2)) {
      sums.observe(x);
      try (InputStatistics statistics = sums.finish()) {
        assertThat(statistics.gram()).isEmpty();
        assertThat(statistics.sumAbs()).containsExactly(4, 6);
        assertThat(statistics.sumSquares()).containsExactly(10, 20);
        Map<String, RawTensor> stored = stored(statistics);
        assertThat(stored).doesNotContainKey("in.gram.0.0");
        assertThat(stored.get("in.tokens").data().getLong()).isEqualTo(2);
      }
      assertThatThrownBy(sums::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("handed over already");
    }
  }

  /** What a file of them holds. */
  private static Map<String, RawTensor> stored(InputStatistics statistics) {
    Map<String, RawTensor> tensors = new LinkedHashMap<>();
    for (TensorSpec spec : StoredStatistics.specs(statistics)) {
      ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(spec.bytes()));
      StoredStatistics.write(statistics, spec, bytes::put);
      tensors.put(spec.name(), new RawTensor(spec, bytes.flip()));
    }
    return tensors;
  }
}
