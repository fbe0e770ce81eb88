package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.Outcome.Code;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Solving with a Gram that comes tile by tile equals solving with it in memory. */
class TiledGramTest {
  private static final long SEED = 20270114;

  private static Gptq settings(ColumnOrder order, Fallback fallback) {
    Gptq base = Gptq.of(3, GroupSize.of(24));
    return new Gptq(
        3,
        true,
        base.groupSize(),
        Clip.MSE,
        base.activations(),
        order,
        base.scaleSource(),
        base.damping(),
        base.dampingLadder(),
        fallback,
        32,
        base.nonfinite());
  }

  @ParameterizedTest
  @CsvSource({
    "NATURAL, 24, 96",
    "STATIC, 1, 24",
    "STATIC, 40, 96",
    "STATIC, 96, 96",
    "GROUP, 40, 96",
    "STATIC, 512, 1320",
    "GROUP, 700, 1320"
  })
  void codesHaveTheSameBits(ColumnOrder order, int edge, int n) {
    try (INDArray weight = Layers.gaussian(SEED, 60, n);
        InputStatistics whole = Layers.statistics(SEED + n, 2 * n, n);
        InputStatistics tiled = TiledGram.of(whole, edge)) {
      Gptq gptq = settings(order, Fallback.FAIL);
      LayerResult expected = gptq.compress("m", weight, DType.F32, Optional.of(whole));
      LayerResult found =
          Workers.on(3, () -> gptq.compress("m", weight, DType.F32, Optional.of(tiled)));
      assertThat(found.quantized().codes())
          .as("seed %d", SEED)
          .isEqualTo(expected.quantized().codes());
      assertThat(found.quantized().scales()).isEqualTo(expected.quantized().scales());
      assertThat(found.report().loss()).isEqualTo(expected.report().loss());
      double energy = expected.report().energy().orElseThrow();
      assertThat(found.report().energy().orElseThrow()).isCloseTo(energy, within(2e-3 * energy));
    }
  }

  @Test
  void tilesAreReadOnceHoweverManyWeightsAreSolved() {
    try (InputStatistics whole = Layers.statistics(SEED, 300, 96);
        InputStatistics tiled = TiledGram.of(whole, 32);
        Solver solver = settings(ColumnOrder.STATIC, Fallback.FAIL).prepare(Optional.of(tiled));
        INDArray weight = Layers.gaussian(SEED, 10, 96)) {
      solver.compress("first", weight, DType.F32);
      solver.compress("second", weight, DType.F32);
      assertThat(((TiledGram) tiled.gram().orElseThrow()).given()).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 96", "40, 96", "95, 96", "512, 1100", "600, 1100"})
  void formsAreTheSumOverTheTiles(int edge, int n) {
    try (INDArray weight = Layers.gaussian(SEED, 530, n);
        INDArray narrow = BFloats.rounded(weight);
        InputStatistics whole = Layers.statistics(SEED + n, 2 * n, n);
        InputStatistics tiled = TiledGram.of(whole, edge)) {
      QuantizedWeight quantized =
          Rtn.of(3, GroupSize.CHANNEL)
              .compress("m", weight, DType.F32, Optional.empty())
              .quantized();
      QuadraticForm form = new QuadraticForm(tiled.gram().orElseThrow());
      float[] w = Floats.toArray(weight);
      float[] gram = Floats.toArray(whole.gram().flatMap(Gram::matrix).orElseThrow());
      try (INDArray dense = quantized.matrix()) {
        double loss = Layers.loss(w, Floats.toArray(dense), gram, n);
        double found = Workers.on(2, () -> form.loss(weight, quantized));
        assertThat(found).as("seed %d", SEED).isCloseTo(loss, within(1e-5 * loss));
      }
      double energy = Layers.loss(w, new float[w.length], gram, n);
      assertThat(form.energy(weight)).isCloseTo(energy, within(2e-3 * energy));
      assertThat(form.energy(narrow)).isCloseTo(energy, within(4e-3 * energy));
    }
  }

  @Test
  void deadInputsAreOutOfTheEnergy() {
    try (INDArray x = Layers.inputs(SEED, 300, 48)) {
      float[] values = Floats.toArray(x);
      for (int t = 0; t < 300; t++) {
        values[t * 48 + 5] = 0;
      }
      try (INDArray silent = Floats.of(values, 300, 48);
          INDArray weight = Layers.gaussian(SEED, 20, 48);
          InputStatistics whole = Layers.statistics(silent);
          InputStatistics tiled = TiledGram.of(whole, 16)) {
        float[] w = Floats.toArray(weight);
        w[5] = 1e4f;
        try (INDArray large = Floats.of(w, 20, 48)) {
          Gptq gptq = settings(ColumnOrder.STATIC, Fallback.FAIL);
          LayerResult found = gptq.compress("m", large, DType.F32, Optional.of(tiled));
          double energy =
              gptq.compress("m", large, DType.F32, Optional.of(whole))
                  .report()
                  .energy()
                  .orElseThrow();
          assertThat(found.report().deadInputs()).isEqualTo(1);
          assertThat(found.report().energy().orElseThrow())
              .isCloseTo(energy, within(2e-3 * energy));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ColumnOrder.class)
  void oneBadElementIsFound(ColumnOrder order) {
    for (int at : new int[] {7, 40, 20 * 48 + 47}) {
      try (InputStatistics good = Layers.statistics(SEED, 200, 48)) {
        float[] values = Floats.toArray(good.gram().flatMap(Gram::matrix).orElseThrow());
        values[at] = Float.NaN;
        values[at % 48 * 48 + at / 48] = Float.NaN;
        try (InputStatistics whole = Layers.around(Floats.of(values, 48, 48), 200);
            InputStatistics tiled = TiledGram.of(whole, 16);
            INDArray weight = Layers.gaussian(SEED, 10, 48)) {
          LayerResult result =
              settings(order, Fallback.FAIL).compress("m", weight, DType.F32, Optional.of(tiled));
          assertThat(result.outcome())
              .isInstanceOfSatisfying(
                  Outcome.Failed.class,
                  failed -> assertThat(failed.code()).isEqualTo(Code.NONFINITE_STATISTICS));
        }
      }
    }
  }

  @Test
  void everyRungReadsTheTilesAnew() {
    float[] pairs = new float[48 * 48];
    for (int i = 0; i < 48; i++) {
      pairs[i * 48 + i] = 1;
      pairs[i * 48 + (i ^ 1)] = 1.05f;
    }
    try (InputStatistics whole = Layers.around(Floats.of(pairs, 48, 48), 100);
        InputStatistics tiled = TiledGram.of(whole, 20);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      Gptq gptq = settings(ColumnOrder.STATIC, Fallback.FAIL);
      LayerResult result = gptq.compress("m", weight, DType.F32, Optional.of(tiled));
      assertThat(result.outcome()).isEqualTo(new Outcome.Recovered(0.1));
      assertThat(((TiledGram) tiled.gram().orElseThrow()).given()).isEqualTo(2 * 6);
      assertThat(result.quantized().codes())
          .isEqualTo(gptq.compress("m", weight, DType.F32, Optional.of(whole)).quantized().codes());
    }
  }

  @Test
  void theLossOfAFallbackComesFromTheTiles() {
    float[] pairs = new float[48 * 48];
    for (int i = 0; i < 48; i++) {
      pairs[i * 48 + i] = 1;
      pairs[i * 48 + (i ^ 1)] = 3;
    }
    try (InputStatistics whole = Layers.around(Floats.of(pairs, 48, 48), 100);
        InputStatistics tiled = TiledGram.of(whole, 20);
        INDArray weight = Layers.gaussian(SEED, 10, 48)) {
      Gptq gptq = settings(ColumnOrder.STATIC, Fallback.RTN);
      List<LayerReport> reports =
          List.of(
              gptq.compress("m", weight, DType.F32, Optional.of(tiled)).report(),
              gptq.compress("m", weight, DType.F32, Optional.of(whole)).report());
      double loss = reports.get(1).loss().orElseThrow();
      assertThat(reports.get(0).method()).isEqualTo("rtn");
      assertThat(reports.get(0).loss().orElseThrow())
          .isCloseTo(loss, within(1e-4 * Math.abs(loss)));
    }
  }
}
