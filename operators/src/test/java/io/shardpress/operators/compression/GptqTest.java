package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.Outcome.Code;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class GptqTest {
  private static final long SEED = 20261120;

  private static Gptq settings(ColumnOrder order, GroupSize groupSize) {
    return new Gptq(
        3,
        true,
        groupSize,
        Clip.MSE,
        Activations.NONE,
        order,
        ScaleSource.AUTO,
        0.01,
        List.of(1.0, 10.0, 100.0),
        Fallback.FAIL,
        32,
        NonfinitePolicy.FAIL);
  }

  private static Gptq withFallback(Fallback fallback) {
    Gptq base = settings(ColumnOrder.STATIC, GroupSize.CHANNEL);
    return new Gptq(
        base.bits(),
        base.symmetric(),
        base.groupSize(),
        base.clip(),
        base.activations(),
        base.order(),
        base.scaleSource(),
        base.damping(),
        base.dampingLadder(),
        fallback,
        base.blockSize(),
        base.nonfinite());
  }

  @ParameterizedTest
  @CsvSource({
    "STATIC, 24",
    "STATIC, channel",
    "NATURAL, 24",
    "NATURAL, 96",
    "NATURAL, channel",
    "GROUP, 24",
    "GROUP, 96",
    "GROUP, channel"
  })
  void losesLessThanRoundToNearestAndReportsTheExactLoss(ColumnOrder order, String group) {
    Gptq gptq = settings(order, GroupSize.parse(group));
    try (INDArray weight = Layers.gaussian(SEED, 70, 96);
        InputStatistics statistics = Layers.statistics(SEED + 1, 400, 96)) {
      LayerResult solved = gptq.compress("m", weight, DType.F32, Optional.of(statistics));
      LayerResult rounded =
          gptq.withoutStatistics().compress("m", weight, DType.F32, Optional.of(statistics));
      double loss = loss(weight, solved, statistics);
      assertThat(solved.outcome()).isEqualTo(new Outcome.Compressed());
      assertThat(loss).as("seed %d", SEED).isLessThan(0.8 * loss(weight, rounded, statistics));
      assertThat(solved.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      assertThat(rounded.report().loss().orElseThrow())
          .isCloseTo(loss(weight, rounded, statistics), within(1e-4 * loss));
      float[] zeros = new float[70 * 96];
      double energy =
          Layers.loss(Floats.toArray(weight), zeros, Floats.toArray(gram(statistics)), 96);
      assertThat(solved.report().relativeLoss().orElseThrow())
          .isCloseTo(loss / energy, within(2e-3 * loss / energy));
    }
  }

  @Test
  void wideLayersReportTheExactLossToo() {
    try (INDArray weight = Layers.gaussian(SEED, 20, 600);
        InputStatistics statistics = Layers.statistics(SEED + 1, 900, 600)) {
      LayerResult solved =
          settings(ColumnOrder.STATIC, GroupSize.of(120))
              .compress("m", weight, DType.BF16, Optional.of(statistics));
      double loss = loss(weight, solved, statistics);
      assertThat(solved.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      double energy =
          Layers.loss(
              Floats.toArray(weight), new float[20 * 600], Floats.toArray(gram(statistics)), 600);
      assertThat(solved.report().energy().orElseThrow()).isCloseTo(energy, within(2e-3 * energy));
    }
  }

  @ParameterizedTest
  @EnumSource(ColumnOrder.class)
  void slicesOfRowsEqualTheWholeBitForBit(ColumnOrder order) {
    int rows = 700;
    try (INDArray weight = Layers.gaussian(SEED, rows, 96);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, 96);
        Solver solver = settings(order, GroupSize.of(24)).prepare(Optional.of(statistics))) {
      LayerResult whole = solver.compress("m", weight, DType.BF16);
      List<LayerResult> slices = new ArrayList<>();
      int[] cuts = {0, 1, 38, 295, 296, rows};
      for (int i = 0; i + 1 < cuts.length; i++) {
        try (INDArray slice = rows(weight, cuts[i], cuts[i + 1])) {
          slices.add(solver.compress("m", slice, DType.BF16));
        }
      }
      LayerResult stacked = LayerResult.stack(slices);
      assertSame(whole, stacked);
      assertThat(stacked.report().loss().orElseThrow())
          .isCloseTo(
              whole.report().loss().orElseThrow(),
              within(1e-6 * whole.report().loss().orElseThrow()));
      assertThat(stacked.report().out()).isEqualTo(rows);
    }
  }

  @Test
  void repeatsItselfAndLeavesItsInputsAlone() {
    try (INDArray weight = Layers.gaussian(SEED, 40, 96);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, 96)) {
      float[] weightBefore = Floats.toArray(weight);
      float[] gramBefore = Floats.toArray(gram(statistics));
      Gptq gptq = settings(ColumnOrder.GROUP, GroupSize.of(24));
      LayerResult first = gptq.compress("m", weight, DType.F16, Optional.of(statistics));
      LayerResult second = gptq.compress("m", weight, DType.F16, Optional.of(statistics));
      assertSame(first, second);
      assertThat(second.report()).isEqualTo(first.report());
      assertThat(Floats.toArray(weight)).isEqualTo(weightBefore);
      assertThat(Floats.toArray(gram(statistics))).isEqualTo(gramBefore);
    }
  }

  @Test
  void onlyTheGroupOrderScattersGroupsOverTheColumns() {
    try (INDArray weight = Layers.gaussian(SEED, 8, 96);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, 96)) {
      int[] natural = QuantizedWeight.neighbours(GroupSize.of(24), 96);
      for (ColumnOrder order : ColumnOrder.values()) {
        Gptq gptq = settings(order, GroupSize.of(24));
        int[] groups =
            gptq.compress("m", weight, DType.F32, Optional.of(statistics))
                .quantized()
                .groupOfColumn();
        int[] sorted = groups.clone();
        Arrays.sort(sorted);
        assertThat(sorted).as("%s: columns per group", order).isEqualTo(natural);
        assertThat(Arrays.equals(groups, natural))
            .as("%s keeps neighbours together", order)
            .isEqualTo(order != ColumnOrder.GROUP);
      }
    }
  }

  @Test
  void deadInputsAreZeroedCountedAndHarmless() {
    try (INDArray x = Layers.inputs(SEED, 300, 48);
        INDArray weight = Layers.gaussian(SEED + 1, 20, 48)) {
      float[] values = Floats.toArray(x);
      for (int t = 0; t < 300; t++) {
        values[t * 48 + 5] = 0;
        values[t * 48 + 40] = 0;
      }
      try (INDArray silent = Floats.of(values, 300, 48);
          InputStatistics statistics = Layers.statistics(silent)) {
        LayerResult result =
            settings(ColumnOrder.STATIC, GroupSize.of(24))
                .compress("m", weight, DType.F32, Optional.of(statistics));
        float[] q = Layers.values(result);
        for (int i = 0; i < 20; i++) {
          assertThat(q[i * 48 + 5]).isZero();
          assertThat(q[i * 48 + 40]).isZero();
        }
        assertThat(result.report().deadInputs()).isEqualTo(2);
        assertThat(result.outcome()).isEqualTo(new Outcome.Compressed());
      }
    }
  }

  @Test
  void climbsTheLadderUntilTheGramIsPositiveDefinite() {
    // Eigenvalue -0.05 per pair of inputs: one percent of damping is too little, ten are enough.
    try (InputStatistics statistics = Layers.around(pairs(48, 1.05f), 100);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      LayerResult result =
          withFallback(Fallback.FAIL).compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(result.outcome()).isEqualTo(new Outcome.Recovered(0.1));
      assertThat(result.report().damping()).hasValue(0.1);
      assertThat(result.report().notes())
          .anyMatch(note -> note.startsWith("damping 0.01: The leading minor"));
    }
  }

  @Test
  void failsWithItsReasonWhenTheLadderEnds() {
    try (InputStatistics statistics = Layers.around(pairs(48, 3f), 100);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      LayerResult result =
          withFallback(Fallback.FAIL)
              .compress("layer.7", weight, DType.F32, Optional.of(statistics));
      assertThat(result.weight()).isEmpty();
      assertThat(result.outcome()).isInstanceOf(Outcome.Failed.class);
      Outcome.Failed failed = (Outcome.Failed) result.outcome();
      assertThat(failed.code()).isEqualTo(Code.NOT_POSITIVE_DEFINITE);
      assertThat(failed.why())
          .startsWith("layer.7: no damping makes the Gram of input positive definite")
          .contains("damping 0.01", "damping 0.1", "damping 1.0")
          .endsWith("set fallback = rtn.");
    }
  }

  @Test
  void fallsBackToRoundToNearestWhereAllowed() {
    Gptq gptq = withFallback(Fallback.RTN);
    try (InputStatistics statistics = Layers.around(pairs(48, 3f), 100);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      LayerResult result = gptq.compress("m", weight, DType.F32, Optional.of(statistics));
      LayerResult rtn = gptq.withoutStatistics().compress("m", weight, DType.F32, Optional.empty());
      assertThat(result.outcome()).isInstanceOf(Outcome.FellBack.class);
      assertThat(((Outcome.FellBack) result.outcome()).method()).isEqualTo("rtn");
      assertThat(result.report().method()).isEqualTo("rtn");
      assertThat(result.report().notes()).hasSizeGreaterThanOrEqualTo(3);
      assertSame(rtn, result);
    }
  }

  @Test
  void anInputThatNoTokenExcitedIsNotSolved() {
    try (InputStatistics statistics = Layers.around(Floats.zeros(48, 48), 0);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      LayerResult failed =
          withFallback(Fallback.FAIL).compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(failed.outcome())
          .isInstanceOfSatisfying(
              Outcome.Failed.class, f -> assertThat(f.code()).isEqualTo(Code.NO_TOKENS));
      LayerResult fellBack =
          withFallback(Fallback.RTN).compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(fellBack.outcome()).isInstanceOf(Outcome.FellBack.class);
    }
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity"})
  void aGramThatIsNotFiniteNeverReachesTheSolver(float bad) {
    float[] values = Floats.toArray(pairs(48, 0.5f));
    values[7] = bad;
    try (InputStatistics statistics = Layers.around(Floats.of(values, 48, 48), 100);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      LayerResult result =
          withFallback(Fallback.FAIL).compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(result.outcome())
          .isInstanceOfSatisfying(
              Outcome.Failed.class, f -> assertThat(f.code()).isEqualTo(Code.NONFINITE_STATISTICS));
    }
  }

  @Test
  void fewTokensAreNoted() {
    try (INDArray weight = Layers.gaussian(SEED, 30, 96);
        InputStatistics statistics = Layers.statistics(SEED + 1, 40, 96)) {
      LayerResult result =
          settings(ColumnOrder.STATIC, GroupSize.of(24))
              .compress("m", weight, DType.F32, Optional.of(statistics));
      assertThat(result.report().notes())
          .contains("rank-deficient Gram: 40 tokens for 96 live inputs");
      assertThat(result.report().tokens()).isEqualTo(40);
    }
  }

  @Test
  void extremeScalesStayFinite() {
    for (float size : new float[] {1e-30f, 1e-12f, 1e12f, 1e30f}) {
      try (INDArray unit = Layers.gaussian(SEED, 20, 48);
          InputStatistics statistics = Layers.statistics(SEED + 1, 300, 48)) {
        float[] values = Floats.toArray(unit);
        for (int i = 0; i < values.length; i++) {
          values[i] *= size;
        }
        try (INDArray weight = Floats.of(values, 20, 48)) {
          LayerResult result =
              settings(ColumnOrder.STATIC, GroupSize.of(24))
                  .compress("m", weight, DType.F32, Optional.of(statistics));
          if (result.outcome().hasWeight()) {
            for (float q : Layers.values(result)) {
              assertThat(Float.isFinite(q)).as("size %s", size).isTrue();
            }
          } else {
            assertThat(result.outcome()).isInstanceOf(Outcome.Failed.class);
          }
        }
      }
    }
  }

  @Test
  void statisticsMustBeThereAndFit() {
    Gptq gptq = settings(ColumnOrder.STATIC, GroupSize.of(24));
    assertThatThrownBy(() -> gptq.prepare(Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("gptq needs the Gram of its input")
        .hasMessageContaining("Calibrate with Grams");
    try (InputStatistics statistics = Layers.statistics(SEED, 300, 96);
        INDArray weight = Layers.gaussian(SEED, 4, 48)) {
      assertThatThrownBy(() -> gptq.compress("m", weight, DType.F32, Optional.of(statistics)))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("m has 48 inputs")
          .hasMessageContaining("96 channels");
    }
  }

  /** Ones on the diagonal, {@code coupling} between inputs 0 and 1, 2 and 3, and so on. */
  private static INDArray pairs(int n, float coupling) {
    float[] gram = new float[n * n];
    for (int i = 0; i < n; i++) {
      gram[i * n + i] = 1;
      gram[i * n + (i ^ 1)] = coupling;
    }
    return Floats.of(gram, n, n);
  }

  private static INDArray rows(INDArray weight, int from, int to) {
    int columns = Floats.columns(weight);
    float[] values = new float[(to - from) * columns];
    Floats.readRows(weight, from, to - from, values);
    return Floats.of(values, to - from, columns);
  }

  private static INDArray gram(InputStatistics statistics) {
    return statistics.gram().flatMap(Gram::matrix).orElseThrow();
  }

  private static double loss(INDArray weight, LayerResult result, InputStatistics statistics) {
    return Layers.loss(
        Floats.toArray(weight),
        Layers.values(result),
        Floats.toArray(gram(statistics)),
        Floats.columns(weight));
  }

  private static void assertSame(LayerResult expected, LayerResult actual) {
    QuantizedWeight left = expected.quantized();
    QuantizedWeight right = actual.quantized();
    assertThat(right.codes()).isEqualTo(left.codes());
    assertThat(right.scales()).isEqualTo(left.scales());
    assertThat(right.zeroPoints()).isEqualTo(left.zeroPoints());
    assertThat(right.groupOfColumn()).isEqualTo(left.groupOfColumn());
  }
}
