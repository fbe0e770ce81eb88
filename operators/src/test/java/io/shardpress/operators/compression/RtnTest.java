package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.compression.Outcome.Code;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class RtnTest {
  private static final long SEED = 31;

  private static Rtn rtn(int bits, boolean symmetric, GroupSize groupSize) {
    return new Rtn(bits, symmetric, groupSize, Clip.ABSMAX, Activations.NONE, NonfinitePolicy.FAIL);
  }

  @ParameterizedTest
  @CsvSource({
    "2, true",
    "2, false",
    "3, true",
    "3, false",
    "4, true",
    "4, false",
    "8, true",
    "8, false"
  })
  void everyCodeIsTheNearestOfItsGrid(int bits, boolean symmetric) {
    Rtn settings = rtn(bits, symmetric, GroupSize.of(20));
    Grid grid = settings.scheme().grid();
    for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16}) {
      try (INDArray weight = Layers.gaussian(SEED, 17, 60)) {
        QuantizedWeight q = settings.compress("m", weight, type, Optional.empty()).quantized();
        float[] w = Floats.toArray(weight);
        for (int i = 0; i < w.length; i++) {
          int at = i / 60 * 3 + i % 60 / 20;
          float scale = q.scales()[at];
          int zero = symmetric ? 0 : q.zeroPoints()[at];
          assertThat(FloatCodec.roundTo(type, scale)).isEqualTo(scale);
          double distance = Math.abs(w[i] - (q.codes()[i] - zero) * (double) scale);
          for (int code = grid.lowest(); code <= grid.highest(); code++) {
            assertThat(distance)
                .as("seed %d, %s, element %d", SEED, grid, i)
                .isLessThanOrEqualTo(Math.abs(w[i] - (code - zero) * (double) scale) + 1e-6);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, 0x1p-23", "BF16, 0x1p-7", "F16, 0x1p-10"})
  void groupsOfZerosGetTheEpsilonOfTheirType(DType type, float epsilon) {
    try (INDArray weight = Floats.zeros(2, 8)) {
      for (boolean symmetric : new boolean[] {true, false}) {
        QuantizedWeight q =
            rtn(4, symmetric, GroupSize.CHANNEL)
                .compress("m", weight, type, Optional.empty())
                .quantized();
        assertThat(q.scales()).containsOnly(epsilon);
        float[] row = new float[8];
        q.readRow(1, row);
        assertThat(row).containsOnly(0f);
      }
    }
  }

  @Test
  void zeroStaysZeroOnAnAsymmetricGrid() {
    try (INDArray weight = Floats.of(new float[] {0.4f, 0, 3.1f, 0, 1.7f, 2.2f}, 1, 6)) {
      float[] q =
          Layers.values(
              rtn(3, false, GroupSize.CHANNEL).compress("m", weight, DType.F32, Optional.empty()));
      assertThat(q[1]).isZero();
      assertThat(q[3]).isZero();
      assertThat(q[2]).isCloseTo(3.1f, within(1e-6f));
    }
  }

  @ParameterizedTest
  @CsvSource({"NaN", "Infinity", "-Infinity"})
  void weightsThatAreNotFiniteEndAsTheSettingsSay(float bad) {
    float[] values = new float[16];
    values[3] = bad;
    try (INDArray weight = Floats.of(values, 2, 8)) {
      LayerResult failed =
          rtn(4, true, GroupSize.CHANNEL).compress("layer.3", weight, DType.F32, Optional.empty());
      assertThat(failed.outcome())
          .isInstanceOfSatisfying(
              Outcome.Failed.class,
              f -> {
                assertThat(f.code()).isEqualTo(Code.NONFINITE_WEIGHT);
                assertThat(f.why())
                    .startsWith("layer.3 holds 1 NaN or infinite weights")
                    .contains("nonfinite = copy-unchanged");
              });
      Rtn copying =
          new Rtn(
              4,
              true,
              GroupSize.CHANNEL,
              Clip.ABSMAX,
              Activations.NONE,
              NonfinitePolicy.COPY_UNCHANGED);
      assertThat(copying.compress("layer.3", weight, DType.F32, Optional.empty()).outcome())
          .isEqualTo(new Outcome.Copied("layer.3 holds 1 NaN or infinite weights"));
    }
  }

  @Test
  void aScaleThatDoesNotFitItsTypeFailsTheLayer() {
    try (INDArray weight = Floats.of(new float[] {3e38f, -3e38f, 0, 1}, 1, 4)) {
      LayerResult result =
          rtn(4, false, GroupSize.CHANNEL).compress("m", weight, DType.F32, Optional.empty());
      assertThat(result.outcome())
          .isInstanceOfSatisfying(
              Outcome.Failed.class, f -> assertThat(f.code()).isEqualTo(Code.NONFINITE_SCALE));
    }
  }

  @Test
  void aGroupThatDoesNotDivideTheWidthIsRefusedWithThoseThatDo() {
    try (INDArray weight = Floats.zeros(2, 192)) {
      assertThatThrownBy(
              () ->
                  rtn(4, true, GroupSize.of(128))
                      .compress("layers.0.down", weight, DType.F32, Optional.empty()))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("layers.0.down: group-size = 128 does not divide the 192 inputs")
          .hasMessageContaining("one of 8, 16, 24, 32, 48, 64, 96, 192, channel");
    }
  }

  @Test
  void searchingTheClipLowersTheWeightError() {
    try (INDArray weight = Layers.gaussian(SEED, 64, 256)) {
      double plain =
          rtn(3, true, GroupSize.of(128))
              .compress("m", weight, DType.BF16, Optional.empty())
              .report()
              .weightNmse();
      double searched =
          Rtn.of(3, GroupSize.of(128))
              .compress("m", weight, DType.BF16, Optional.empty())
              .report()
              .weightNmse();
      assertThat(searched).isLessThan(0.9 * plain).isPositive();
    }
  }

  @Test
  void reportsWhatItDid() {
    try (INDArray weight = Floats.of(new float[] {1, -2, 0.5f, 4}, 1, 4)) {
      LayerReport report =
          rtn(2, true, GroupSize.CHANNEL)
              .compress("m", weight, DType.F32, Optional.empty())
              .report();
      assertThat(report.method()).isEqualTo("rtn");
      assertThat(report.weightEnergy()).isCloseTo(21.25, within(1e-9));
      assertThat(report.loss()).isEmpty();
      assertThat(report.relativeLoss()).isEmpty();
      assertThat(report.clippedShare()).isZero();
      assertThat(report.tokens()).isZero();
    }
  }

  @Test
  void bf16WeightsLoseWhatTheSameWeightsInF32Lose() {
    try (INDArray weight = Layers.gaussian(SEED, 70, 128);
        INDArray narrow = BFloats.rounded(weight);
        INDArray wide = BFloats.widened(narrow);
        InputStatistics statistics = Layers.statistics(SEED, 300, 128)) {
      Rtn rtn = Gptq.of(4, GroupSize.of(64)).withoutStatistics();
      LayerReport expected = rtn.compress("m", wide, DType.BF16, Optional.of(statistics)).report();
      LayerReport found = rtn.compress("m", narrow, DType.BF16, Optional.of(statistics)).report();
      assertThat(found.loss()).isEqualTo(expected.loss());
      assertThat(found.energy()).isEqualTo(expected.energy());
    }
  }
}
