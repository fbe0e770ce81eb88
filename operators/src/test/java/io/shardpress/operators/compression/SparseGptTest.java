package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.Outcome.Code;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class SparseGptTest {
  private static final long SEED = 20261128;

  /** The defaults, with other blocks. */
  private static SparseGpt inBlocks(SparseGpt base, int blockSize) {
    return new SparseGpt(
        base.sparsity(),
        base.pattern(),
        base.budget(),
        base.bits(),
        base.symmetric(),
        base.levels(),
        base.groupSize(),
        base.clip(),
        base.damping(),
        base.dampingLadder(),
        blockSize,
        base.nonfinite());
  }

  /** The same with weights rounded in the sweep. */
  private static SparseGpt rounded(
      SparseGpt base, int bits, boolean symmetric, Levels levels, GroupSize groups, Clip clip) {
    return new SparseGpt(
        base.sparsity(),
        base.pattern(),
        base.budget(),
        Optional.of(bits),
        symmetric,
        levels,
        groups,
        clip,
        base.damping(),
        base.dampingLadder(),
        base.blockSize(),
        base.nonfinite());
  }

  /** A block may be narrower than the m columns, and end anywhere in them. */
  @ParameterizedTest
  @CsvSource({
    "2:4, 128",
    "2:4, 1",
    "2:4, 3",
    "2:4, 10",
    "2:4, 16",
    "1:3, 128",
    "1:3, 7",
    "4:8, 20",
    "16:32, 8",
    "31:32, 48",
    "1:2, 5",
    "1:24, 31"
  })
  void choosesAndCorrectsAsDefinedWhateverTheBlocks(String text, int blockSize) {
    Pattern pattern = Pattern.parse(text);
    int out = 37;
    int in = 96;
    try (INDArray weight = Layers.gaussian(SEED, out, in);
        InputStatistics statistics = Layers.statistics(SEED + 1, 400, in)) {
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      SparseGpt settings = inBlocks(SparseGpt.of(pattern), blockSize);
      float[] expected =
          new PlainSparseGpt(gram, in, settings.damping()).prune(Floats.toArray(weight), pattern);

      float[] found =
          Layers.values(settings.compress("m", weight, DType.F32, Optional.of(statistics)));

      for (int i = 0; i < found.length; i++) {
        assertThat(found[i])
            .as("seed %d: row %d, column %d", SEED, i / in, i % in)
            .isCloseTo(expected[i], within(2e-3f));
      }
      assertExactly(pattern, found);
    }
  }

  private static void assertExactly(Pattern pattern, float[] found) {
    for (int from = 0; from < found.length; from += pattern.of()) {
      int zeros = 0;
      for (int j = from; j < from + pattern.of(); j++) {
        zeros += found[j] == 0 ? 1 : 0;
      }
      assertThat(zeros)
          .as("seed %d: zeros of %s from %d on", SEED, pattern, from)
          .isEqualTo(pattern.of() - pattern.kept());
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 0.7, 0.95})
  void prunesTheShareThatWasAskedFor(double share) {
    try (INDArray weight = Layers.gaussian(SEED, 150, 200);
        InputStatistics statistics = Layers.statistics(SEED + 1, 500, 200)) {
      LayerResult result =
          SparseGpt.of(share).compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(result.report().sparsity()).isCloseTo(share, within(0.001));
      float[] q = Layers.values(result);
      double loss = Layers.loss(Floats.toArray(weight), q, gram(statistics), 200);
      assertThat(result.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss + 1e-3));
    }
  }

  /** Weights of ternary models, and of BF16 ones by the hundred, are equally dear. */
  @Test
  void ofEquallyDearWeightsOnlyAsManyBecomeZeroAsWereAskedFor() {
    int out = 1100;
    int in = 64;
    float[] signs = new float[out * in];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = i % 3 == 0 ? -1 : 1;
    }
    try (INDArray weight = Floats.of(signs, out, in)) {
      LayerResult result = SparseGpt.of(0.5).compress("m", weight, DType.BF16, Optional.empty());
      assertThat(result.report().sparsity()).isCloseTo(0.5, within(0.001));
      float[] q = Layers.values(result);
      boolean[] zeros = new boolean[q.length];
      for (int i = 0; i < q.length; i++) {
        zeros[i] = q[i] == 0;
      }
      int first = 0;
      while (zeros[first]) {
        first++;
      }
      assertThat(Arrays.copyOfRange(zeros, first, zeros.length))
          .as("the first ones, by row and column")
          .containsOnly(false);
    }
  }

  @ParameterizedTest
  @CsvSource({"2:4", "4:8"})
  void slicesOfRowsHaveTheBitsOfTheWhole(String text) {
    SparseGpt settings = SparseGpt.of(Pattern.parse(text));
    for (SparseGpt each :
        List.of(settings, settings.quantized(4, GroupSize.of(24), Levels.ZERO_ALIGNED))) {
      try (INDArray weight = Layers.gaussian(SEED, 700, 96);
          InputStatistics statistics = Layers.statistics(SEED + 1, 300, 96);
          Solver solver = each.prepare(Optional.of(statistics))) {
        float[] whole = Layers.values(solver.compress("m", weight, DType.BF16));
        int[] cuts = {0, 1, 38, 295, 296, 700};
        for (int i = 0; i + 1 < cuts.length; i++) {
          float[] part = rows(weight, cuts[i], cuts[i + 1]);
          try (INDArray slice = Floats.of(part, cuts[i + 1] - cuts[i], 96)) {
            assertThat(Layers.values(solver.compress("m", slice, DType.BF16)))
                .as("seed %d: rows %d to %d", SEED, cuts[i], cuts[i + 1])
                .isEqualTo(Arrays.copyOfRange(whole, cuts[i] * 96, cuts[i + 1] * 96));
          }
        }
      }
    }
  }

  private static float[] rows(INDArray weight, int first, int end) {
    int in = Floats.columns(weight);
    return Arrays.copyOfRange(Floats.toArray(weight), first * in, end * in);
  }

  @Test
  void givesTheSameBitsOnAnyNumberOfThreads() {
    SparseGpt half = SparseGpt.of(0.5);
    for (SparseGpt settings :
        List.of(
            half,
            half.quantized(4, GroupSize.of(32), Levels.FULL),
            SparseGpt.of(new Pattern(2, 4)))) {
      try (INDArray weight = Layers.gaussian(SEED, 2100, 64);
          InputStatistics statistics = Layers.statistics(SEED + 1, 300, 64)) {
        List<float[]> found = new ArrayList<>();
        for (int threads : new int[] {1, 2, 3}) {
          found.add(
              Workers.on(
                  threads,
                  () ->
                      Layers.values(
                          settings.compress("m", weight, DType.F32, Optional.of(statistics)))));
        }
        assertThat(found.get(1)).isEqualTo(found.get(0));
        assertThat(found.get(2)).isEqualTo(found.get(0));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void roundsWhatItKeepsAndStoresTheOthersAsExactZeros(int bits) {
    Pattern pattern = new Pattern(2, 4);
    SparseGpt base = SparseGpt.of(pattern);
    GroupSize groups = GroupSize.of(32);
    for (SparseGpt settings :
        List.of(
            rounded(base, bits, true, Levels.FULL, groups, Clip.MSE),
            rounded(base, bits, false, Levels.FULL, groups, Clip.MSE),
            rounded(base, bits, false, Levels.FULL, GroupSize.CHANNEL, Clip.ABSMAX),
            rounded(base, bits, true, Levels.ZERO_ALIGNED, groups, Clip.ABSMAX),
            rounded(base, bits, true, Levels.ZERO_ALIGNED, groups, Clip.SAWB))) {
      try (INDArray weight = Layers.gaussian(SEED, 40, 96);
          InputStatistics statistics = Layers.statistics(SEED + 1, 300, 96)) {
        LayerResult result = settings.compress("m", weight, DType.BF16, Optional.of(statistics));
        float[] q = Layers.values(result);
        for (int from = 0; from < q.length; from += 4) {
          int zeros = 0;
          for (int j = from; j < from + 4; j++) {
            zeros += Float.floatToRawIntBits(q[j]) == 0 ? 1 : 0;
          }
          assertThat(zeros).as("%s: positive zeros from %d on", settings, from).isBetween(2, 4);
        }
        Grid grid = new Grid(bits, settings.symmetric(), settings.levels());
        for (byte code : result.quantized().codes()) {
          assertThat((int) code).isBetween(grid.lowest(), grid.highest());
        }
        assertThat(result.report().sparsity()).isGreaterThanOrEqualTo(0.5);
      }
    }
  }

  @Test
  void zeroAlignedGridsHaveAsManyLevelsOnEitherSide() {
    for (int bits = 2; bits <= 8; bits++) {
      Grid grid = new Grid(bits, true, Levels.ZERO_ALIGNED);
      assertThat(grid.lowest()).isEqualTo(1 - (1 << (bits - 1)));
      assertThat(grid.highest()).isEqualTo(-grid.lowest());
    }
  }

  @Test
  void updatesThatDoNotFitTheStoredTypeFailTheLayer() {
    // Two inputs that are always equal: the one that stays takes the weight of both.
    float[] gram = {1000, 1000, 1000, 1000};
    try (INDArray weight = Floats.of(new float[] {50_000, 60_000}, 1, 2);
        InputStatistics statistics = Layers.around(Floats.of(gram, 2, 2), 10)) {
      SparseGpt settings = SparseGpt.of(new Pattern(1, 2));
      LayerResult wide = settings.compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(Layers.values(wide)[1]).isCloseTo(110_000, within(2_000f));

      LayerResult narrow = settings.compress("m", weight, DType.F16, Optional.of(statistics));

      assertThat(narrow.outcome())
          .isInstanceOfSatisfying(
              Outcome.Failed.class,
              failed -> {
                assertThat(failed.code()).isEqualTo(Code.NONFINITE_RESULT);
                assertThat(failed.why()).startsWith("m: ").contains("F16");
              });
    }
  }

  @Test
  void withoutTokensItPrunesByMagnitudeAndClaimsNoStatistics() {
    try (INDArray weight = Layers.gaussian(SEED, 30, 64)) {
      LayerResult result =
          SparseGpt.of(new Pattern(2, 4)).compress("m", weight, DType.F32, Optional.empty());
      LayerResult magnitude =
          Magnitude.of(new Pattern(2, 4)).compress("m", weight, DType.F32, Optional.empty());
      assertThat(Layers.values(result)).isEqualTo(Layers.values(magnitude));
      assertThat(result.report().tokens()).isZero();
      assertThat(result.report().loss()).as("of an input that nobody saw").isEmpty();
      assertThat(result.report().energy()).isEmpty();
      assertThat(result.report().weightNmse())
          .isCloseTo(magnitude.report().weightNmse(), within(1e-6));
    }
  }

  @Test
  void deadInputsBecomeZeroAndCountAsPruned() {
    try (INDArray weight = Layers.gaussian(SEED, 20, 48);
        INDArray x = Layers.inputs(SEED + 1, 300, 48)) {
      float[] values = Floats.toArray(x);
      for (int t = 0; t < 300; t++) {
        for (int j = 4; j < 7; j++) { // three of a group of four
          values[t * 48 + j] = 0;
        }
      }
      try (INDArray silent = Floats.of(values, 300, 48);
          InputStatistics statistics = Layers.statistics(silent)) {
        LayerResult result =
            SparseGpt.of(new Pattern(2, 4))
                .compress("m", weight, DType.F32, Optional.of(statistics));
        float[] q = Layers.values(result);
        for (int row = 0; row < 20; row++) {
          assertThat(Arrays.copyOfRange(q, row * 48 + 4, row * 48 + 7)).containsOnly(0f);
          assertThat(q[row * 48 + 7]).as("the one that tokens excite").isNotZero();
        }
        assertThat(result.report().deadInputs()).isEqualTo(3);
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> SparseGpt.of(0.5).prepare(Optional.of(moments(8))))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("sparsegpt needs the Gram of its input");
    try (InputStatistics statistics = Layers.statistics(SEED, 100, 10);
        INDArray weight = Layers.gaussian(SEED, 4, 10)) {
      SparseGpt settings = SparseGpt.of(new Pattern(2, 4));
      assertThatThrownBy(() -> settings.compress("m", weight, DType.F32, Optional.of(statistics)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("pattern = \"2:4\" does not divide the 10 inputs");
    }
    assertThatThrownBy(
            () -> rounded(SparseGpt.of(0.5), 4, true, Levels.FULL, GroupSize.CHANNEL, Clip.BEST))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("clip = best solves a layer several times");
    assertThatThrownBy(
            () -> rounded(SparseGpt.of(0.5), 4, true, Levels.FULL, GroupSize.CHANNEL, Clip.SAWB))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("clip = sawb goes with levels = zero-aligned");
    assertThatThrownBy(
            () ->
                rounded(
                    SparseGpt.of(0.5), 4, false, Levels.ZERO_ALIGNED, GroupSize.CHANNEL, Clip.MSE))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("levels = zero-aligned goes with symmetric = true");
  }

  private static InputStatistics moments(int n) {
    return new InputStatistics(
        "input", 1, new double[n], new double[n], new float[n], Optional.empty());
  }

  private static float[] gram(InputStatistics statistics) {
    return Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
  }
}
