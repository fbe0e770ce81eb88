package io.shardpress.operators.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.Grid;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.QuantizedWeight;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class CompressedTensorsTest {
  private static final long SEED = 815;
  private static final int[] SIZES = {
    1, 4, 6, 8, 13, 16, 25, 31, 32, 33, 64, 100, 207, 1023, 1025, 4096, 8197
  };

  private final CompressedTensors encoder = new CompressedTensors();

  @Test
  void streamsOfAllWidthsAndSizesComeBack() {
    for (int bits = 1; bits <= 8; bits++) {
      int offset = 1 << (bits - 1);
      for (int size : SIZES) {
        Random random = new Random(SEED + size);
        byte[] codes = new byte[size + 5];
        for (int i = 0; i < codes.length; i++) {
          codes[i] = (byte) (random.nextInt(1 << bits) - offset);
        }
        ByteBuffer words =
            ByteBuffer.allocate(4 * BitStream.words(size, bits) + 16)
                .order(ByteOrder.LITTLE_ENDIAN);
        Arrays.fill(words.array(), (byte) 0x5a);
        new BitStream(bits).pack(codes, 3, size, words, 4);
        byte[] back = new byte[size + 5];
        Arrays.fill(back, (byte) 77);
        new BitStream(bits).unpack(words, 4, size, back, 3);
        for (int i = 0; i < size; i++) {
          assertThat(back[3 + i])
              .as("seed %d, %d bits, code %d of %d", SEED + size, bits, i, size)
              .isEqualTo(codes[3 + i]);
          long stream = 0;
          for (int bit = 0; bit < bits; bit++) {
            int at = i * bits + bit;
            stream |= (long) (words.getInt(4 + at / 32 * 4) >>> (at % 32) & 1) << bit;
          }
          assertThat(stream - offset).as("bits of code %d", i).isEqualTo(codes[3 + i]);
        }
        assertThat(words.getInt(0)).as("what lies before the stream").isEqualTo(0x5a5a5a5a);
        assertThat(words.getInt(4 + 4 * BitStream.words(size, bits)))
            .as("what lies behind the stream")
            .isEqualTo(0x5a5a5a5a);
        int used = size * bits;
        if (used % 32 != 0) {
          assertThat(words.getInt(4 + used / 32 * 4) >>> used % 32).as("padding").isZero();
        }
        assertThat(back).startsWith(77, 77, 77).endsWith(77, 77);
      }
    }
  }

  @Test
  void everySchemeComesBackFromItsTensors() {
    for (int bits = 2; bits <= 8; bits++) {
      for (boolean symmetric : new boolean[] {true, false}) {
        for (Activations activations : Activations.values()) {
          for (ColumnOrder order : ColumnOrder.values()) {
            Scheme scheme =
                new Scheme(new Grid(bits, symmetric), GroupSize.of(13), order, activations);
            check(random(scheme, 37, 39), DType.BF16);
          }
          check(
              random(
                  new Scheme(
                      new Grid(bits, symmetric),
                      GroupSize.CHANNEL,
                      ColumnOrder.NATURAL,
                      activations),
                  33,
                  7),
              DType.F16);
        }
      }
    }
  }

  private void check(QuantizedWeight weight, DType type) {
    StoredLinear linear = new StoredLinear("a.b", weight.out(), weight.in(), type, Layout.OUT_IN);
    Map<String, RawTensor> tensors = new HashMap<>();
    encoder.encode(linear, weight).forEach(t -> tensors.put(t.spec().name(), t));
    assertThat(tensors.values().stream().map(RawTensor::spec))
        .containsExactlyInAnyOrderElementsOf(encoder.plan(linear, weight.scheme()));
    QuantizedWeight back = CompressedTensors.codes(linear, weight.scheme(), tensors);
    String what = "seed %d, %s".formatted(SEED, weight.scheme());
    assertThat(back.codes()).as(what).isEqualTo(weight.codes());
    assertThat(back.scales()).as(what).isEqualTo(weight.scales());
    assertThat(back.zeroPoints()).as(what).isEqualTo(weight.zeroPoints());
    assertThat(back.groupOfColumn()).as(what).isEqualTo(weight.groupOfColumn());
    try (INDArray decoded = encoder.decode(linear, weight.scheme(), tensors);
        INDArray expected = weight.matrix()) {
      assertThat(Floats.toArray(decoded)).isEqualTo(Floats.toArray(expected));
    }
  }

  private static QuantizedWeight random(Scheme scheme, int out, int in) {
    Random random = new Random(SEED);
    Grid grid = scheme.grid();
    int groups = scheme.groupSize().groups(in);
    byte[] codes = new byte[out * in];
    byte[] zeroPoints = new byte[grid.symmetric() ? 0 : out * groups];
    float[] scales = new float[out * groups];
    int[] groupOfColumn = QuantizedWeight.neighbours(scheme.groupSize(), in);
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) (grid.lowest() + random.nextInt(1 << grid.bits()));
    }
    for (int i = 0; i < zeroPoints.length; i++) {
      zeroPoints[i] = (byte) (grid.lowest() + random.nextInt(1 << grid.bits()));
    }
    for (int i = 0; i < scales.length; i++) {
      scales[i] = FloatCodec.roundTo(DType.BF16, FloatCodec.roundTo(DType.F16, random.nextFloat()));
    }
    if (scheme.order() == ColumnOrder.GROUP) {
      for (int i = in - 1; i > 0; i--) {
        int other = random.nextInt(i + 1);
        int swap = groupOfColumn[i];
        groupOfColumn[i] = groupOfColumn[other];
        groupOfColumn[other] = swap;
      }
    }
    return new QuantizedWeight(scheme, out, in, codes, scales, zeroPoints, groupOfColumn);
  }

  @Test
  void tensorsThatDoNotFitTheSchemeAreRefused() {
    Scheme scheme =
        new Scheme(new Grid(4, true), GroupSize.of(8), ColumnOrder.GROUP, Activations.NONE);
    StoredLinear linear = new StoredLinear("m", 4, 16, DType.F32, Layout.OUT_IN);
    Map<String, RawTensor> tensors = new HashMap<>();
    encoder.encode(linear, random(scheme, 4, 16)).forEach(t -> tensors.put(t.spec().name(), t));

    Map<String, RawTensor> withoutScale = new HashMap<>(tensors);
    withoutScale.remove("m.weight_scale");
    assertThatThrownBy(() -> CompressedTensors.codes(linear, scheme, withoutScale))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("m.weight_scale is missing");

    Map<String, RawTensor> otherShape = new HashMap<>(tensors);
    otherShape.put(
        "m.weight_scale",
        new RawTensor(
            TensorSpec.of("m.weight_scale", DType.F32, 2, 4),
            tensors.get("m.weight_scale").bytes()));
    assertThatThrownBy(() -> CompressedTensors.codes(linear, scheme, otherShape))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is F32 [2, 4], but its scheme makes it F32 [4, 2]");

    Scheme inPlace =
        new Scheme(new Grid(4, true), GroupSize.of(8), ColumnOrder.STATIC, Activations.NONE);
    assertThatThrownBy(() -> CompressedTensors.codes(linear, inPlace, tensors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("m.weight_g_idx is there");

    tensors.get("m.weight_g_idx").data().putInt(12, 2);
    assertThatThrownBy(() -> CompressedTensors.codes(linear, scheme, tensors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("m.weight_g_idx puts column 3 into group 2 of 2");
  }

  @Test
  void wholeBytesOutsideTheGridAreRefused() {
    Scheme scheme =
        new Scheme(
            new Grid(4, true), GroupSize.CHANNEL, ColumnOrder.NATURAL, Activations.DYNAMIC_INT8);
    StoredLinear linear = new StoredLinear("m", 1, 4, DType.F32, Layout.OUT_IN);
    Map<String, RawTensor> tensors = new HashMap<>();
    encoder.encode(linear, random(scheme, 1, 4)).forEach(t -> tensors.put(t.spec().name(), t));
    tensors.get("m.weight").data().put(2, (byte) 8);
    assertThatThrownBy(() -> CompressedTensors.codes(linear, scheme, tensors))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("m.weight holds 8, which 4 bits do not: the range is -8 to 7");
  }

  @Test
  void aPlanForAWidthThatGroupsDoNotDivideNamesTheModule() {
    Scheme scheme =
        new Scheme(new Grid(4, true), GroupSize.of(128), ColumnOrder.NATURAL, Activations.NONE);
    assertThatThrownBy(
            () -> encoder.plan(new StoredLinear("m", 4, 96, DType.F32, Layout.OUT_IN), scheme))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("m: group-size = 128 does not divide the 96 inputs");
  }
}
