package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The vectorized rows against one weight after another, bit by bit. */
class RtnRowsTest {
  private static final long SEED = 4711;
  private static final int[] BITS = {2, 3, 4, 8};
  private static final int[] GROUPS = {1, 2, 3, 8, 10, 31, 43, 64, 125, 683, 2000};

  /** Kinds of weights that rows are filled with. */
  enum Kind {
    GAUSSIAN,
    ONE_SIDED,
    HEAVY_TAILED,
    MOSTLY_ZEROS,
    SUBNORMAL,
    OF_ALL_SIZES;

    float draw(Random random) {
      double x = random.nextGaussian();
      return (float)
          switch (this) {
            case GAUSSIAN -> 0.02 * x;
            case ONE_SIDED -> -Math.abs(x);
            case HEAVY_TAILED -> x * x * x * x * x;
            case MOSTLY_ZEROS -> random.nextInt(3) == 0 ? x : random.nextBoolean() ? 0.0 : -0.0;
            case SUBNORMAL -> x * 1e-39;
            case OF_ALL_SIZES -> x * Math.pow(2, random.nextInt(200) - 120);
          };
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 17, 31, 32, 33, 127, 128, 129, 1000, 2000, 2049, 4100})
  void everyRowIsThatOfThePlainReference(int in) {
    for (Kind kind : Kind.values()) {
      check(kind, in, GroupSize.CHANNEL);
      for (int columns : GROUPS) {
        if (in % columns == 0) {
          check(kind, in, GroupSize.of(columns));
        }
      }
    }
  }

  private static void check(Kind kind, int in, GroupSize groupSize) {
    long seed = SEED + 31L * in + groupSize.columns();
    Random random = new Random(seed);
    int out = 1 + random.nextInt(3);
    try (INDArray floats = filled(kind, out, in, random);
        INDArray halves = BFloats.rounded(floats)) {
      for (int bits : BITS) {
        for (boolean symmetric : new boolean[] {true, false}) {
          Rtn settings = rtn(bits, symmetric, groupSize, Clip.ABSMAX);
          for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16}) {
            String what = "seed %d, %s, [%d, %d], %s".formatted(seed, kind, out, in, settings);
            PlainRtn.check(settings, floats, type, what);
            PlainRtn.check(settings, halves, type, what + ", BF16");
          }
        }
      }
    }
  }

  /** One weight after another, by the formulas. */
  private static final class PlainRtn {

    static void check(Rtn settings, INDArray weight, DType type, String what) {
      LayerResult result = settings.compress("m", weight, type, Optional.empty());
      int out = Floats.rows(weight);
      int in = Floats.columns(weight);
      int columns = settings.groupSize().in(in);
      Grid grid = settings.scheme().grid();
      float[] row = new float[in];
      byte[] codes = new byte[out * in];
      float[] scales = new float[out * in / columns];
      byte[] zeros = new byte[grid.symmetric() ? 0 : scales.length];
      long clipped = 0;
      double error = 0;
      double energy = 0;
      boolean finite = true;
      for (int i = 0; i < out; i++) {
        Floats.readRow(weight, i, row);
        for (int from = 0; from < in; from += columns) {
          int group = (i * in + from) / columns;
          float min = 0;
          float max = 0;
          for (int j = from; j < from + columns; j++) {
            min = Math.min(min, row[j]);
            max = Math.max(max, row[j]);
          }
          float exact =
              grid.symmetric()
                  ? Math.max(-min, max) / ((grid.highest() - grid.lowest()) / 2f)
                  : (max - min) / (grid.highest() - grid.lowest());
          float scale = FloatCodec.roundTo(type, exact);
          if (scale == 0) {
            scale = type == DType.BF16 ? 0x1p-7f : type == DType.F16 ? 0x1p-10f : 0x1p-23f;
          }
          finite &= Float.isFinite(scale);
          float zero = 0;
          if (!grid.symmetric()) {
            float t = grid.lowest() - min / scale;
            zero = (float) Math.rint(Math.min(Math.max(t, grid.lowest()), grid.highest()));
            zeros[group] = (byte) zero;
          }
          scales[group] = scale;
          for (int j = from; j < from + columns; j++) {
            float t = row[j] / scale + zero;
            float code = (float) Math.rint(Math.min(Math.max(t, grid.lowest()), grid.highest()));
            codes[i * in + j] = (byte) code;
            float moved = row[j] - (code - zero) * scale;
            clipped += Math.abs(moved) > scale ? 1 : 0;
            error += (double) moved * moved;
            energy += (double) row[j] * row[j];
          }
        }
      }
      if (!finite) {
        assertThat(result.outcome()).as(what).isInstanceOf(Outcome.Failed.class);
        return;
      }
      QuantizedWeight found = result.quantized();
      assertThat(found.scales()).as(what).isEqualTo(scales);
      assertThat(found.zeroPoints()).as(what).isEqualTo(zeros);
      assertThat(found.codes()).as(what).isEqualTo(codes);
      assertThat(result.report().clipped()).as(what).isEqualTo(clipped);
      assertThat(result.report().weightError()).as(what).isCloseTo(error, within(1e-5 * error));
      assertThat(result.report().weightEnergy()).as(what).isCloseTo(energy, within(1e-5 * energy));
    }
  }

  @ParameterizedTest
  @CsvSource({"true, 12", "false, 12", "true, 3", "false, 3"})
  void bf16RowsGiveWhatTheirF32ValuesGive(boolean symmetric, int columns) {
    try (INDArray floats = filled(Kind.HEAVY_TAILED, 9, 1020, new Random(SEED));
        INDArray halves = BFloats.rounded(floats);
        INDArray wide = BFloats.widened(halves)) {
      for (Clip clip : new Clip[] {Clip.ABSMAX, Clip.MSE}) {
        Rtn settings = rtn(3, symmetric, GroupSize.of(columns), clip);
        LayerResult ofHalves = settings.compress("m", halves, DType.BF16, Optional.empty());
        LayerResult ofFloats = settings.compress("m", wide, DType.BF16, Optional.empty());
        assertSame(ofHalves, ofFloats, "seed %d, %s".formatted(SEED, settings));
        assertThat(ofHalves.report().clipped()).isEqualTo(ofFloats.report().clipped());
      }
    }
  }

  @Test
  void moreThreadsGiveTheSameBytesAndSums() {
    Rtn settings = rtn(4, false, GroupSize.of(128), Clip.ABSMAX);
    try (INDArray floats = filled(Kind.GAUSSIAN, 1200, 2048, new Random(SEED));
        INDArray weight = BFloats.rounded(floats)) {
      LayerResult alone = settings.compress("m", weight, DType.BF16, Optional.empty());
      LayerResult together =
          Workers.on(3, () -> settings.compress("m", weight, DType.BF16, Optional.empty()));
      assertSame(alone, together, "seed " + SEED);
      assertThat(together.report()).isEqualTo(alone.report());
    }
  }

  private static void assertSame(LayerResult found, LayerResult expected, String what) {
    QuantizedWeight left = found.quantized();
    QuantizedWeight right = expected.quantized();
    assertThat(left.codes()).as(what).isEqualTo(right.codes());
    assertThat(left.scales()).as(what).isEqualTo(right.scales());
    assertThat(left.zeroPoints()).as(what).isEqualTo(right.zeroPoints());
  }

  @Test
  void everyWeightThatIsNotFiniteIsCountedWhereverItLies() {
    Rtn settings = rtn(4, true, GroupSize.CHANNEL, Clip.ABSMAX);
    float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    for (int in : new int[] {1, 2, 5, 33}) {
      for (int place = 0; place < 3 * in; place++) {
        float[] values = new float[3 * in];
        values[place] = bad[place % 3];
        values[0] = Float.NaN;
        int count = place == 0 ? 1 : 2;
        try (INDArray floats = Floats.of(values, 3, in);
            INDArray halves = BFloats.rounded(floats)) {
          for (INDArray weight : new INDArray[] {floats, halves}) {
            LayerResult result = settings.compress("m", weight, DType.BF16, Optional.empty());
            assertThat(result.outcome())
                .as("place %d of %d columns", place, in)
                .isInstanceOfSatisfying(
                    Outcome.Failed.class,
                    failed ->
                        assertThat(failed.why())
                            .startsWith("m holds %d NaN or infinite weights".formatted(count)));
          }
        }
      }
    }
  }

  @Property(tries = 200)
  void theClampOfTheRowsIsTheClamp(@ForAll("quotients") float quotient) {
    for (int bits : BITS) {
      Grid grid = new Grid(bits, false);
      float[] rounded = new float[1];
      LaneLoops.round(
          new float[] {quotient},
          new float[] {1},
          new float[] {0},
          1,
          grid.lowest(),
          grid.highest(),
          rounded);
      double nearest = Math.rint(quotient);
      assertThat(rounded[0] - Rounding.MAGIC)
          .isEqualTo((float) Math.min(Math.max(nearest, grid.lowest()), grid.highest()) + 0f);
    }
  }

  @Provide
  Arbitrary<Float> quotients() {
    return Arbitraries.oneOf(
        Arbitraries.floats().between(-300, 300),
        Arbitraries.floats().between(-4_000_000, 4_000_000),
        Arbitraries.integers().between(-300, 300).map(i -> i + 0.5f));
  }

  private static Rtn rtn(int bits, boolean symmetric, GroupSize groupSize, Clip clip) {
    return new Rtn(bits, symmetric, groupSize, clip, Activations.NONE, NonfinitePolicy.FAIL);
  }

  private static INDArray filled(Kind kind, int rows, int columns, Random random) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = kind.draw(random);
    }
    return Floats.of(values, rows, columns);
  }
}
