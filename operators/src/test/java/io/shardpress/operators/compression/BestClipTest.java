package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code clip = best} merges several solutions row by row. */
class BestClipTest {
  private static final long SEED = 20260803;

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void losesNoMoreThanAnyOfItsCandidates(int bits) {
    try (InputStatistics statistics = Layers.statistics(SEED, 400, 96);
        INDArray weight = Layers.gaussian(SEED + 1, 33, 96)) {
      double best = loss(weight, statistics, bits, Clip.BEST, ColumnOrder.STATIC);
      for (Clip clip : Clip.BEST.candidates()) {
        assertThat(best)
            .as("seed %d, %d bits, %s", SEED, bits, clip)
            .isLessThanOrEqualTo(
                loss(weight, statistics, bits, clip, ColumnOrder.STATIC) * (1 + 1e-3));
      }
      assertThat(best)
          .isLessThan(0.99 * loss(weight, statistics, bits, Clip.ABSMAX, ColumnOrder.STATIC));
    }
  }

  @ParameterizedTest
  @EnumSource(ColumnOrder.class)
  void theMergedCodesAreTheLossThatIsReported(ColumnOrder order) {
    try (InputStatistics statistics = Layers.statistics(SEED, 400, 64);
        INDArray weight = Layers.gaussian(SEED + 2, 17, 64)) {
      LayerResult result = compress(weight, statistics, 3, Clip.BEST, order);
      double exact =
          new QuadraticForm(statistics.gram().orElseThrow()).loss(weight, result.quantized());
      assertThat(result.report().loss().orElseThrow())
          .as("seed %d, %s", SEED, order)
          .isCloseTo(exact, org.assertj.core.api.Assertions.within(1e-3 * exact));
    }
  }

  private static double loss(
      INDArray weight, InputStatistics statistics, int bits, Clip clip, ColumnOrder order) {
    return compress(weight, statistics, bits, clip, order).report().loss().orElseThrow();
  }

  private static LayerResult compress(
      INDArray weight, InputStatistics statistics, int bits, Clip clip, ColumnOrder order) {
    Gptq base = Gptq.of(bits, GroupSize.of(32));
    Gptq settings =
        new Gptq(
            bits,
            true,
            base.groupSize(),
            clip,
            base.activations(),
            order,
            base.scaleSource(),
            base.damping(),
            base.dampingLadder(),
            base.fallback(),
            base.blockSize(),
            base.nonfinite());
    return settings.compress("layer", weight, DType.F32, Optional.of(statistics));
  }
}
