package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Wanda and magnitude pruning, which leave the weights that stay as they are. */
class ScorePruningTest {
  private static final long SEED = 99;

  private static float[] different(long seed, int count) {
    try (INDArray values = Layers.gaussian(seed, 1, count)) {
      return Floats.toArray(values);
    }
  }

  /** Values of which many are equal: whole numbers from −5 to 5. */
  private static float[] coarse(long seed, int count) {
    float[] values = different(seed, count);
    for (int i = 0; i < count; i++) {
      values[i] = Math.max(-5, Math.min(5, Math.round(2 * values[i])));
    }
    return values;
  }

  /** The first {@code count} by magnitude and index become zero. */
  private static float[] sortedAway(float[] values, int from, int to, int count, float[] into) {
    IntStream.range(from, to)
        .boxed()
        .sorted(
            Comparator.comparingDouble((Integer i) -> Math.abs(values[i])).thenComparing(i -> i))
        .limit(count)
        .forEach(i -> into[i] = 0);
    return into;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 0.73, 0.999})
  void aLayerLosesItsSmallestWeightsByIndexWhereTheyAreEqual(double share) {
    int out = 131;
    int in = 77;
    for (float[] values : List.of(different(SEED, out * in), coarse(SEED, out * in))) {
      try (INDArray weight = Floats.of(values, out, in)) {
        LayerResult result = Magnitude.of(share).compress("m", weight, DType.F32, Optional.empty());
        int count = (int) (share * out * in);
        float[] expected = sortedAway(values, 0, values.length, count, values.clone());
        assertSame(Layers.values(result), expected);
        assertThat(result.report().loss()).isEmpty();
      }
    }
  }

  private static void assertSame(float[] found, float[] expected) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).as("seed %d: weight %d", SEED, i).isEqualTo(expected[i] + 0f);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.25, 0.5, 0.9})
  void aRowLosesItsOwnSmallest(double share) {
    int in = 80;
    float[] values = coarse(SEED, 60 * in);
    Magnitude settings =
        new Magnitude(
            Optional.of(share), Optional.empty(), Magnitude.Scope.ROW, NonfinitePolicy.FAIL);
    try (INDArray weight = Floats.of(values, 60, in)) {
      float[] expected = values.clone();
      for (int row = 0; row < 60; row++) {
        sortedAway(values, row * in, (row + 1) * in, (int) Math.round(share * in), expected);
      }
      assertSame(
          Layers.values(settings.compress("m", weight, DType.F32, Optional.empty())), expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"2:4, 3, 8", "1:2, 129, 64", "4:8, 70, 88", "5:32, 5, 96", "1:31, 66, 31"})
  void patternsAreExactOnAnyShape(String text, int out, int in) {
    Pattern pattern = Pattern.parse(text);
    try (INDArray weight = Layers.gaussian(SEED, out, in);
        INDArray half = BFloats.rounded(weight);
        InputStatistics statistics = Layers.statistics(SEED, 50, in)) {
      float[] dense = Floats.toArray(weight);
      for (Pruner settings : List.of(Magnitude.of(pattern), Wanda.of(pattern))) {
        for (INDArray each : List.of(weight, half)) {
          float[] q =
              Layers.values(settings.compress("m", each, DType.BF16, Optional.of(statistics)));
          for (int from = 0; from < q.length; from += pattern.of()) {
            int zeros = 0;
            for (int j = from; j < from + pattern.of(); j++) {
              zeros += q[j] == 0 ? 1 : 0;
              assertThat(q[j] == 0 || q[j] == FloatCodec.roundTo(DType.BF16, dense[j])).isTrue();
            }
            assertThat(zeros)
                .as("%s from %d on", settings, from)
                .isEqualTo(pattern.of() - pattern.kept());
          }
        }
      }
    }
  }

  @Test
  void wandaWeighsWeightsByTheSizeOfTheirInputs() {
    int out = 40;
    int in = 90;
    try (INDArray weight = Layers.gaussian(SEED, out, in);
        InputStatistics statistics = Layers.statistics(SEED + 1, 200, in)) {
      float[] w = Floats.toArray(weight);
      LayerResult result = Wanda.of(0.4).compress("m", weight, DType.F32, Optional.of(statistics));
      float[] q = Layers.values(result);
      for (int row = 0; row < out; row++) {
        double largestPruned = 0;
        double smallestKept = Double.MAX_VALUE;
        int zeros = 0;
        for (int j = 0; j < in; j++) {
          int at = row * in + j;
          double score = Math.abs(w[at]) * Math.sqrt(statistics.sumSquares()[j]);
          zeros += q[at] == 0 ? 1 : 0;
          largestPruned = q[at] == 0 ? Math.max(largestPruned, score) : largestPruned;
          smallestKept = q[at] == 0 ? smallestKept : Math.min(smallestKept, score);
        }
        assertThat(zeros).as("seed %d: row %d", SEED, row).isEqualTo(36);
        assertThat(largestPruned).isLessThanOrEqualTo(smallestKept * (1 + 1e-6));
      }
      double loss =
          Layers.loss(
              w, q, Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow()), in);
      assertThat(result.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      assertThat(result.report().method()).isEqualTo("wanda");
      assertThat(result.report().tokens()).isEqualTo(200);
    }
  }

  @Test
  void negativeZerosBecomePositive() {
    try (INDArray weight = Floats.of(new float[] {-0f, -1, 2, -3}, 1, 4)) {
      float[] q =
          Layers.values(Magnitude.of(0.5).compress("m", weight, DType.F32, Optional.empty()));
      assertThat(q).containsExactly(0f, 0f, 2f, -3f);
      assertThat(Float.floatToRawIntBits(q[0])).isZero();
      assertThat(Float.floatToRawIntBits(q[1])).isZero();
    }
  }

  @Test
  void weightsThatAreNotFiniteEndTheLayer() {
    for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      try (INDArray weight = Floats.of(new float[] {1, bad, 3, 4}, 1, 4);
          InputStatistics statistics = Layers.statistics(SEED, 20, 4)) {
        for (Pruner settings :
            List.of(Magnitude.of(0.5), Magnitude.of(0.9), Wanda.of(0.5), SparseGpt.of(0.5))) {
          LayerResult result = settings.compress("m", weight, DType.F32, Optional.of(statistics));
          assertThat(result.outcome())
              .isInstanceOfSatisfying(
                  Outcome.Failed.class,
                  f -> assertThat(f.code()).isEqualTo(Outcome.Code.NONFINITE_WEIGHT));
        }
        assertThat(
                new Wanda(
                        Optional.of(0.5),
                        Optional.empty(),
                        Budget.UNIFORM,
                        NonfinitePolicy.COPY_UNCHANGED)
                    .compress("m", weight, DType.F32, Optional.of(statistics))
                    .outcome())
            .isInstanceOf(Outcome.Copied.class);
      }
    }
  }

  @Test
  void givesTheSameBitsOnAnyNumberOfThreads() {
    try (INDArray weight = Layers.gaussian(SEED, 700, 65);
        InputStatistics statistics = Layers.statistics(SEED, 100, 65)) {
      for (Pruner settings : List.of(Magnitude.of(0.37), Wanda.of(0.37))) {
        LayerResult one =
            Workers.on(1, () -> settings.compress("m", weight, DType.F16, Optional.of(statistics)));
        LayerResult three =
            Workers.on(3, () -> settings.compress("m", weight, DType.F16, Optional.of(statistics)));
        assertThat(Layers.values(three)).isEqualTo(Layers.values(one));
        assertThat(three.report()).isEqualTo(one.report());
      }
    }
  }

  @Test
  void amountsThatMakeNoSenseAreRefusedWithTheirKey() {
    for (double share : new double[] {-0.1, 1, 1.5, Double.NaN}) {
      assertThatThrownBy(() -> Wanda.of(share))
          .isInstanceOf(InputException.class)
          .hasMessage("sparsity = %s: give a share from 0 up to, not including, 1.", share);
    }
    for (String text : List.of("0:4", "4:4", "5:4", "1:33", "9999:9999")) {
      assertThatThrownBy(() -> Pattern.parse(text))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("pattern = \"" + text + "\": keep at least 1 of every 2 to 32");
    }
    for (String text : List.of("", "2", "2:", "2-4", "2:4:8", "-2:4", "12345:12346")) {
      assertThatThrownBy(() -> Pattern.parse(text))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("pattern = \"" + text + "\": give n:m");
    }
    Pattern pattern = new Pattern(2, 4);
    assertThatThrownBy(
            () ->
                new Wanda(
                    Optional.of(0.5), Optional.of(pattern), Budget.UNIFORM, NonfinitePolicy.FAIL))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("sparsity = 0.5 and pattern = \"2:4\": give one of them");
    assertThatThrownBy(
            () ->
                new Wanda(Optional.empty(), Optional.empty(), Budget.UNIFORM, NonfinitePolicy.FAIL)
                    .amount())
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("Nothing says how much to prune.");
    assertThatThrownBy(
            () ->
                new Magnitude(
                    Optional.empty(),
                    Optional.of(pattern),
                    Magnitude.Scope.GLOBAL,
                    NonfinitePolicy.FAIL))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("scope = global does not go with pattern = \"2:4\"");
    assertThatThrownBy(() -> Wanda.of(0.5).prepare(Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("wanda needs statistics of its input");
  }
}
