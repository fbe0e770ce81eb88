package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What one step has pruned stays zero in every step behind it, whatever its settings. */
class KeptMaskTest {
  private static final long SEED = 77;
  private static final int OUT = 45;
  private static final int IN = 96;

  private static Gptq gptq(boolean symmetric, ColumnOrder order, ScaleSource source) {
    return new Gptq(
        4,
        symmetric,
        GroupSize.of(24),
        Clip.MSE,
        Activations.NONE,
        order,
        source,
        0.01,
        List.of(1.0),
        Fallback.FAIL,
        32,
        NonfinitePolicy.FAIL);
  }

  private static Rtn rtn(boolean symmetric, Clip clip) {
    return new Rtn(3, symmetric, GroupSize.of(24), clip, Activations.NONE, NonfinitePolicy.FAIL);
  }

  private static SparseGpt asymmetric(SparseGpt base) {
    return new SparseGpt(
        base.sparsity(),
        base.pattern(),
        base.budget(),
        Optional.of(4),
        false,
        Levels.FULL,
        GroupSize.of(24),
        Clip.MSE,
        base.damping(),
        base.dampingLadder(),
        base.blockSize(),
        base.nonfinite());
  }

  private static Stream<Settings> steps() {
    Pattern pattern = new Pattern(2, 4);
    return Stream.of(
        gptq(true, ColumnOrder.STATIC, ScaleSource.AUTO),
        gptq(true, ColumnOrder.GROUP, ScaleSource.AUTO),
        gptq(false, ColumnOrder.NATURAL, ScaleSource.UPDATED),
        gptq(false, ColumnOrder.NATURAL, ScaleSource.ORIGINAL),
        Gptq.of(8, GroupSize.CHANNEL),
        rtn(true, Clip.MSE),
        rtn(false, Clip.MSE),
        rtn(true, Clip.ABSMAX),
        rtn(false, Clip.ABSMAX),
        SparseGpt.of(0.0),
        SparseGpt.of(0.1),
        SparseGpt.of(0.9),
        SparseGpt.of(pattern),
        SparseGpt.of(new Pattern(7, 8)),
        SparseGpt.of(0.0).quantized(4, GroupSize.of(24), Levels.FULL),
        SparseGpt.of(pattern).quantized(4, GroupSize.of(24), Levels.ZERO_ALIGNED),
        asymmetric(SparseGpt.of(pattern)),
        asymmetric(SparseGpt.of(0.3)),
        Wanda.of(0.3),
        Wanda.of(0.8),
        Wanda.of(pattern),
        Magnitude.of(0.3),
        Magnitude.of(0.8),
        Magnitude.of(pattern),
        Refit.DEFAULT);
  }

  @TestFactory
  Stream<DynamicTest> everyStepKeepsIt() {
    return Stream.of(DType.F32, DType.BF16, DType.F16)
        .flatMap(
            type ->
                Stream.of(0.2, 0.6, 0.95)
                    .flatMap(
                        share ->
                            steps()
                                .map(
                                    settings ->
                                        DynamicTest.dynamicTest(
                                            "%s, %s zeros: %s".formatted(type, share, settings),
                                            () -> check(settings, type, share)))));
  }

  private static void check(Settings settings, DType type, double share) {
    try (INDArray dense = Layers.gaussian(SEED, OUT, IN);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, IN);
        Solver solver = settings.prepare(Optional.of(statistics))) {
      float[] pruned = pruned(Floats.toArray(dense), share);
      LayerResult result = solver.compress(behind(pruned, dense, type));
      float[] found = Layers.values(result);
      int kept = 0;
      for (int i = 0; i < found.length; i++) {
        if (pruned[i] == 0) {
          assertThat(Float.floatToRawIntBits(found[i]))
              .as("seed %d: row %d, column %d is +0", SEED, i / IN, i % IN)
              .isZero();
        }
        kept += found[i] != 0 ? 1 : 0;
      }
      assertThat(kept).as("weights that are left").isPositive();
      assertThat(result.report().zeros()).isEqualTo((long) OUT * IN - kept);
    }
  }

  private static float[] pruned(float[] dense, double share) {
    Random random = new Random(SEED + 2);
    float[] values = dense.clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextDouble() < share ? 0 : values[i];
    }
    return values;
  }

  /** As jobs give it to a step that is not the first. */
  private static LinearWeight behind(float[] pruned, INDArray dense, DType type) {
    try (INDArray before = Floats.of(pruned, OUT, IN)) {
      return new LinearWeight(
          "m", type, dense, Optional.of(DenseWeight.of(before, type)), Zeros.KEEP);
    }
  }

  @Test
  void codesOfAPrunedLayerAreKeptByTheRefit() {
    for (boolean symmetric : new boolean[] {true, false}) {
      try (INDArray dense = Layers.gaussian(SEED, OUT, IN);
          InputStatistics statistics = Layers.statistics(SEED + 1, 300, IN)) {
        SparseGpt base = SparseGpt.of(new Pattern(2, 4));
        LayerResult sparse =
            (symmetric ? base.quantized(4, GroupSize.of(24), Levels.FULL) : asymmetric(base))
                .compress("m", dense, DType.F32, Optional.of(statistics));
        LayerResult refitted;
        try (Solver solver = Refit.DEFAULT.prepare(Optional.of(statistics))) {
          refitted =
              solver.compress(new LinearWeight("m", DType.F32, dense, sparse.weight(), Zeros.KEEP));
        }
        float[] before = Layers.values(sparse);
        float[] after = Layers.values(refitted);
        for (int i = 0; i < before.length; i++) {
          assertThat(before[i] != 0 || after[i] == 0).as("seed %d: %d", SEED, i).isTrue();
        }
        assertThat(after).isNotEqualTo(before);
        assertThat(refitted.report().loss().orElseThrow())
            .isLessThan(sparse.report().loss().orElseThrow());
      }
    }
  }

  /** Errors of a later step are those against the checkpoint, not against what it was given. */
  @Test
  void resultsCanBeMeasuredAgainstTheCheckpoint() {
    try (INDArray dense = Layers.gaussian(SEED, OUT, IN);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, IN)) {
      float[] pruned = pruned(Floats.toArray(dense), 0.5);
      Gptq gptq = gptq(true, ColumnOrder.STATIC, ScaleSource.AUTO);
      LayerResult found;
      try (Solver solver = gptq.prepare(Optional.of(statistics))) {
        found = solver.compress(behind(pruned, dense, DType.F32));
      }
      LayerResult measured = found.against(dense, Optional.of(statistics));

      float[] w = Floats.toArray(dense);
      float[] q = Layers.values(found);
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      double loss = Layers.loss(w, q, gram, IN);
      double error = 0;
      double energy = 0;
      for (int i = 0; i < w.length; i++) {
        error += ((double) w[i] - q[i]) * ((double) w[i] - q[i]);
        energy += (double) w[i] * w[i];
      }
      assertThat(found.report().loss().orElseThrow()).isLessThan(0.5 * loss);
      assertThat(measured.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      assertThat(measured.report().weightNmse()).isCloseTo(error / energy, within(1e-5));
      assertThat(measured.weight()).isEqualTo(found.weight());
      assertThat(measured.outcome()).isEqualTo(found.outcome());
      assertThat(found.against(dense, Optional.empty()).report().weightNmse())
          .isCloseTo(error / energy, within(1e-5));
    }
  }

  @Test
  void theRefitLeavesALayerThatNoStepHasChanged() {
    try (INDArray dense = Layers.gaussian(SEED, OUT, IN);
        InputStatistics statistics = Layers.statistics(SEED + 1, 300, IN)) {
      LayerResult result = Refit.DEFAULT.compress("m", dense, DType.F32, Optional.of(statistics));
      assertThat(result.outcome())
          .isEqualTo(new Outcome.Copied("no step before the refit has changed m"));
      assertThat(result.weight()).isEmpty();
    }
  }
}
