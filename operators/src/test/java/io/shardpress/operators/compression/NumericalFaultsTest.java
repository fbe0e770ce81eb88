package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.NumericalException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.Outcome.Code;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.statistics.InputStatistics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights and statistics that no arithmetic survives: each layer ends in one outcome, the same on
 * every run, and nothing that is not finite is written.
 */
class NumericalFaultsTest {
  private static final long SEED = 20261128;
  private static final int OUT = 7;
  private static final int IN = 48;

  /** Every width with and without zero points, in groups and per channel. */
  static Stream<Settings> schemes() {
    List<Settings> settings = new ArrayList<>();
    for (int bits : new int[] {2, 3, 4, 8}) {
      for (boolean symmetric : new boolean[] {true, false}) {
        for (GroupSize group : List.of(GroupSize.of(16), GroupSize.CHANNEL)) {
          settings.add(rtn(bits, symmetric, group, NonfinitePolicy.FAIL));
          settings.add(gptq(bits, symmetric, group, Clip.BEST, ColumnOrder.STATIC));
          settings.add(gptq(bits, symmetric, group, Clip.ABSMAX, ColumnOrder.GROUP));
          settings.add(gptq(bits, symmetric, group, Clip.MSE, ColumnOrder.NATURAL));
        }
      }
    }
    return settings.stream();
  }

  private static Rtn rtn(int bits, boolean symmetric, GroupSize group, NonfinitePolicy policy) {
    return new Rtn(bits, symmetric, group, Clip.MSE, Activations.NONE, policy);
  }

  private static Gptq gptq(
      int bits, boolean symmetric, GroupSize group, Clip clip, ColumnOrder order) {
    return new Gptq(
        bits,
        symmetric,
        group,
        clip,
        Activations.NONE,
        order,
        ScaleSource.AUTO,
        0.01,
        List.of(1.0, 10.0, 100.0),
        Fallback.FAIL,
        16,
        NonfinitePolicy.FAIL);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F16", "BF16"})
  void oneValueThatIsNotFiniteAnywhereIsFound(DType type) {
    Settings fail = rtn(4, true, GroupSize.CHANNEL, NonfinitePolicy.FAIL);
    Settings copy = rtn(4, true, GroupSize.CHANNEL, NonfinitePolicy.COPY_UNCHANGED);
    Settings gptq = gptq(4, true, GroupSize.CHANNEL, Clip.BEST, ColumnOrder.STATIC);
    try (InputStatistics statistics = Layers.statistics(SEED, 200, 45)) {
      for (int columns : new int[] {1, 2, 45}) {
        for (int rows : new int[] {1, 3, 64}) {
          for (int at : places(rows, columns)) {
            for (int bits : nonFinite(type)) {
              try (INDArray weight = poked(type, rows, columns, at, bits)) {
                String what = "%s [%d, %d] with %x at %d".formatted(type, rows, columns, bits, at);
                assertFailed(fail.compress("m", weight, type, Optional.empty()), what);
                assertThat(copy.compress("m", weight, type, Optional.empty()).outcome())
                    .as(what)
                    .isEqualTo(new Outcome.Copied("m holds 1 NaN or infinite weights"));
                if (columns == 45) {
                  assertFailed(gptq.compress("m", weight, type, Optional.of(statistics)), what);
                }
              }
            }
          }
        }
      }
    }
  }

  private static void assertFailed(LayerResult result, String what) {
    assertThat(result.weight()).as(what).isEmpty();
    assertThat(result.outcome())
        .as(what)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(Code.NONFINITE_WEIGHT);
              assertThat(failed.why()).startsWith("m holds 1 NaN or infinite weights");
            });
  }

  /** First, middle and last of the first, a middle and the last row. */
  private static int[] places(int rows, int columns) {
    return Stream.of(0, rows / 2, rows - 1)
        .flatMap(row -> Stream.of(0, columns / 2, columns - 1).map(c -> row * columns + c))
        .distinct()
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** Infinities, and quiet and signalling NaN with the smallest and largest payload. */
  private static int[] nonFinite(DType type) {
    return switch (type) {
      case F32 -> new int[] {0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff};
      case BF16 -> new int[] {0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff};
      default -> new int[] {0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff};
    };
  }

  /** The largest finite values are not taken for infinities; as codes they may reach beyond. */
  @ParameterizedTest
  @CsvSource({"F32, 7f7fffff", "BF16, 7f7f", "F16, 7bff", "F32, 1", "BF16, 1", "F16, 1"})
  void theLargestAndSmallestValuesAreFinite(DType type, String hex) {
    Settings settings = rtn(8, true, GroupSize.CHANNEL, NonfinitePolicy.FAIL);
    try (INDArray weight = poked(type, 3, 45, 50, Integer.parseInt(hex, 16))) {
      LayerResult result = settings.compress("m", weight, type, Optional.empty());
      if (result.outcome() instanceof Outcome.Failed failed) {
        assertThat(failed.code()).isEqualTo(Code.NONFINITE_SCALE);
        assertThat(hex).isNotEqualTo("1");
      } else {
        assertThat(result.outcome()).isInstanceOf(Outcome.Compressed.class);
      }
    }
  }

  private static INDArray poked(DType type, int rows, int columns, int at, int bits) {
    int size = type.bits() / 8;
    ByteBuffer bytes = ByteBuffer.allocate(rows * columns * size).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[rows * columns];
    Random random = new Random(SEED);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    FloatCodec.encode(type, values, 0, values.length, bytes);
    if (size == 4) {
      bytes.putInt(at * size, bits);
    } else {
      bytes.putShort(at * size, (short) bits);
    }
    return Floats.load(new RawTensor(TensorSpec.of("w", type, rows, columns), bytes.clear()));
  }

  /** Inputs as calibration may meet them; only those of the largest size leave F32. */
  enum Inputs {
    ORDINARY,
    ZERO,
    ONE_SAMPLE,
    RANK_ONE,
    SAME_SAMPLE_OFTEN,
    CONSTANT_CHANNELS,
    EQUAL_CHANNELS,
    DEAD_CHANNELS,
    ONE_LIVE_CHANNEL,
    TINY,
    SMALL,
    LARGE,
    UNEVEN;

    INDArray of(Random random) {
      int tokens = this == ONE_SAMPLE ? 1 : 60;
      float[] x = new float[tokens * IN];
      float[] first = new float[IN];
      for (int t = 0; t < tokens; t++) {
        float strength = (float) random.nextGaussian();
        for (int j = 0; j < IN; j++) {
          float value = (float) random.nextGaussian();
          first[j] = t == 0 ? value : first[j];
          x[t * IN + j] =
              switch (this) {
                case ORDINARY, ONE_SAMPLE -> value;
                case ZERO -> 0;
                case RANK_ONE -> strength * first[j];
                case SAME_SAMPLE_OFTEN -> first[j];
                case CONSTANT_CHANNELS -> j % 3 == 0 ? 1 : value;
                case EQUAL_CHANNELS -> j % 2 == 1 ? x[t * IN + j - 1] : value;
                case DEAD_CHANNELS -> j % 4 == 0 ? 0 : value;
                case ONE_LIVE_CHANNEL -> j == 5 ? value : 0;
                case TINY -> value * 1e-30f;
                case SMALL -> value * 1e-15f;
                case LARGE -> (float) (value * 1e15);
                case UNEVEN -> value * (float) Math.pow(10, j % 25 - 12);
              };
        }
      }
      return Floats.of(x, tokens, IN);
    }
  }

  /** Weights as checkpoints may have them. */
  enum Weights {
    ORDINARY,
    ZERO,
    TINY,
    SUBNORMAL,
    LARGE,
    HUGE,
    CONSTANT,
    EQUAL_ROWS,
    ONE_OUTLIER,
    UNEVEN;

    float value(Random random, int row, int column, float[] first) {
      float value = (float) random.nextGaussian();
      first[column] = row == 0 ? value : first[column];
      return switch (this) {
        case ORDINARY -> value;
        case ZERO -> 0;
        case TINY -> value * 1e-30f;
        case SUBNORMAL -> value * 1e-42f;
        case LARGE -> value * 1e30f;
        case HUGE -> value < 0 ? -Float.MAX_VALUE : Float.MAX_VALUE;
        case CONSTANT -> 0.3f;
        case EQUAL_ROWS -> first[column];
        case ONE_OUTLIER -> row == 2 && column == 7 ? 1e30f : value;
        case UNEVEN -> value * (float) Math.pow(10, (row * IN + column) % 61 - 30);
      };
    }

    INDArray of(Random random, DType type) {
      float[] values = new float[OUT * IN];
      float[] first = new float[IN];
      for (int i = 0; i < values.length; i++) {
        float value = FloatCodec.roundTo(type, value(random, i / IN, i % IN, first));
        // What the type cannot hold was never in the checkpoint.
        values[i] = Float.isFinite(value) ? value : Math.copySign(largest(type), value);
      }
      return Floats.of(values, OUT, IN);
    }

    private static float largest(DType type) {
      return type == DType.F16 ? 65504 : 3.3895314E38f;
    }
  }

  @ParameterizedTest
  @MethodSource("schemes")
  void everyLayerEndsTheSameWayAndFinite(Settings settings) {
    int compressed = 0;
    for (Inputs inputs : Inputs.values()) {
      try (INDArray x = inputs.of(new Random(SEED));
          InputStatistics statistics = Layers.statistics(x)) {
        for (Weights weights : Weights.values()) {
          for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
            String what =
                "seed %d: %s weights of %s, %s inputs, %s"
                    .formatted(SEED, weights, type, inputs, settings);
            try (INDArray weight = weights.of(new Random(SEED + 1), type)) {
              LayerResult first = settings.compress("m", weight, type, Optional.of(statistics));
              LayerResult again = settings.compress("m", weight, type, Optional.of(statistics));
              assertSpecified(first, inputs, what);
              assertFinite(first, type, what);
              assertThat(again.outcome()).as(what).isEqualTo(first.outcome());
              assertThat(again.report().notes()).as(what).isEqualTo(first.report().notes());
              assertThat(again.report().damping()).as(what).isEqualTo(first.report().damping());
              assertThat(codes(again)).as(what).isEqualTo(codes(first));
              compressed += first.outcome().hasWeight() ? 1 : 0;
            }
          }
        }
      }
    }
    assertThat(compressed).as("layers with a weight").isGreaterThan(100);
  }

  private static void assertSpecified(LayerResult result, Inputs inputs, String what) {
    boolean gptq = result.report().method().equals(Algorithm.GPTQ.key());
    if (result.outcome() instanceof Outcome.Failed failed) {
      if (gptq && (inputs == Inputs.ZERO || inputs == Inputs.TINY)) {
        assertThat(failed.code()).as(what).isEqualTo(Code.NO_TOKENS);
      } else {
        assertThat(failed.code())
            .as(what + ": " + failed.why())
            .isIn(Code.NONFINITE_SCALE, Code.NONFINITE_RESULT, Code.NOT_POSITIVE_DEFINITE);
      }
      assertThat(failed.why()).as(what).startsWith("m");
    } else {
      assertThat(result.outcome())
          .as(what)
          .isInstanceOfAny(Outcome.Compressed.class, Outcome.Recovered.class);
    }
  }

  private static void assertFinite(LayerResult result, DType type, String what) {
    assertThat(result.weight().isPresent()).as(what).isEqualTo(result.outcome().hasWeight());
    result
        .weight()
        .ifPresent(
            weight -> {
              for (float scale : result.quantized().scales()) {
                assertThat(scale).as(what).isFinite().isNotNegative();
              }
              StoredLinear linear = new StoredLinear("m", OUT, IN, type, Layout.OUT_IN);
              for (RawTensor tensor : new CompressedTensors().encode(linear, weight)) {
                assertFinite(tensor, what);
              }
              for (float value : Layers.values(result)) {
                assertThat(FloatCodec.roundTo(type, value)).as(what).isFinite();
              }
            });
  }

  private static void assertFinite(RawTensor tensor, String what) {
    if (tensor.spec().dtype().isWeightFloat()) {
      float[] values = new float[(int) tensor.spec().elements()];
      FloatCodec.decode(tensor.spec().dtype(), tensor.data(), values, 0, values.length);
      for (float value : values) {
        assertThat(value).as("%s, %s", what, tensor.spec()).isFinite();
      }
    }
  }

  private static List<Object> codes(LayerResult result) {
    return result
        .weight()
        .map(QuantizedWeight.class::cast)
        .map(w -> List.<Object>of(Arrays.hashCode(w.codes()), Arrays.hashCode(w.scales())))
        .orElse(List.of());
  }

  @ParameterizedTest
  @CsvSource({"1e20", "1e30", "3e38", "Infinity", "-Infinity", "NaN"})
  void activationsThatOverflowEndTheObservation(float value) {
    for (int at : new int[] {0, 30 * IN + 7, 60 * IN - 1}) {
      try (INDArray x = Inputs.ORDINARY.of(new Random(SEED))) {
        float[] values = Floats.toArray(x);
        values[at] = value;
        try (INDArray bad = Floats.of(values, 60, IN)) {
          assertThatThrownBy(() -> Layers.statistics(bad).close())
              .as("%s at %d", value, at)
              .isInstanceOf(NumericalException.class)
              .hasMessageContaining("The statistics of input input are not finite")
              .hasMessageContaining("channel " + at % IN);
        }
      }
    }
  }

  @Test
  void sumsThatOverflowInTheFoldAreRefused() {
    float[] gram = new float[IN * IN];
    gram[5 * IN + 5] = 3e38f;
    try (InputStatistics part = Layers.around(Floats.of(gram, IN, IN), 10)) {
      assertThatThrownBy(() -> InputStatistics.fold(List.of(part, part)))
          .isInstanceOf(NumericalException.class)
          .hasMessageContaining("Gram diagonal 5");
    }
  }

  /** What no sum of squares can be, but a damaged store may hold. */
  @ParameterizedTest
  @CsvSource({"NEGATIVE", "INDEFINITE", "ASYMMETRIC_NAN", "HUGE"})
  void gramsThatAreNoneEndInTheirOutcome(String kind) {
    float[] values = new float[IN * IN];
    for (int i = 0; i < IN; i++) {
      values[i * IN + i] = kind.equals("NEGATIVE") ? -1 : kind.equals("HUGE") ? 3e38f : 1;
      if (kind.equals("INDEFINITE")) {
        values[i * IN + (i ^ 1)] = 5;
      }
    }
    if (kind.equals("ASYMMETRIC_NAN")) {
      values[3 * IN + 9] = Float.NaN;
      values[9 * IN + 3] = Float.NaN;
    }
    Settings settings = gptq(4, true, GroupSize.of(16), Clip.BEST, ColumnOrder.STATIC);
    try (InputStatistics statistics = Layers.around(Floats.of(values, IN, IN), 100);
        INDArray weight = Layers.gaussian(SEED, OUT, IN)) {
      LayerResult result = settings.compress("m", weight, DType.F32, Optional.of(statistics));
      assertFinite(result, DType.F32, kind);
      if (!kind.equals("HUGE") || !result.outcome().hasWeight()) {
        assertThat(result.outcome())
            .isInstanceOfSatisfying(
                Outcome.Failed.class,
                failed ->
                    assertThat(failed.code())
                        .isIn(
                            Code.NOT_POSITIVE_DEFINITE,
                            Code.NONFINITE_STATISTICS,
                            Code.NONFINITE_RESULT));
      }
    }
  }
}
