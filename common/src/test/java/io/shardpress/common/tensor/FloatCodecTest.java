package io.shardpress.common.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FloatCodecTest {

  @Test
  void decodesEveryHalfAsTheDefinitionSays() {
    float[] decoded = decode(DType.F16, allShorts());

    for (int bits = 0; bits < 1 << 16; bits++) {
      Double expected = definition(bits, 5, 10);
      assertThat((double) decoded[bits]).as("half 0x%04x", bits).isEqualTo(expected);
    }
  }

  @Test
  void decodesEveryBrainFloatAsTheDefinitionSays() {
    float[] decoded = decode(DType.BF16, allShorts());

    for (int bits = 0; bits < 1 << 16; bits++) {
      Double expected = definition(bits, 8, 7);
      assertThat((double) decoded[bits]).as("bf16 0x%04x", bits).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void everyStoredValueSurvivesARoundTrip(DType type) {
    float[] decoded = decode(type, allShorts());
    ByteBuffer encoded = encode(type, decoded);

    for (int bits = 0; bits < 1 << 16; bits++) {
      if (!Float.isNaN(decoded[bits])) {
        assertThat(encoded.getShort(2 * bits) & 0xFFFF).as("bits 0x%04x", bits).isEqualTo(bits);
      } else {
        assertThat(decode(type, encoded.duplicate().position(2 * bits))[0]).isNaN();
      }
    }
  }

  /** Between two neighbours: below the middle goes down, above goes up, the middle goes to even. */
  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void roundsToTheNearestAndTiesToEven(DType type) {
    int infinity = type == DType.F16 ? 0x7C00 : 0x7F80;
    float[] values = decode(type, allShorts());
    for (int bits = 0; bits < infinity - 1; bits++) {
      double low = values[bits];
      double high = values[bits + 1];
      float middle = (float) ((low + high) / 2);
      int even = (bits & 1) == 0 ? bits : bits + 1;
      assertThat(stored(type, middle)).as("middle above 0x%04x", bits).isEqualTo(even);
      assertThat(stored(type, -middle)).as("negative").isEqualTo(even | 0x8000);
      assertThat(stored(type, Math.nextDown(middle))).as("below").isEqualTo(bits);
      assertThat(stored(type, Math.nextUp(middle))).as("above").isEqualTo(bits + 1);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "65504, 7BFF",
    "65519.996, 7BFF",
    "65520, 7C00",
    "3.4e38, 7C00",
    "5.9604645e-8, 0001",
    "2.9802322e-8, 0000",
    "2.9802326e-8, 0001",
    "6.1035156e-5, 0400",
    "1.4e-45, 0000",
    "-0.0, 8000"
  })
  void halfBordersAreExact(float value, String bits) {
    assertThat(stored(DType.F16, value)).isEqualTo(Integer.parseInt(bits, 16));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF, 0x7FC00000})
  void notANumberStaysNotANumber(int bits) {
    float nan = Float.intBitsToFloat(bits);
    for (DType type : new DType[] {DType.F16, DType.BF16, DType.F32, DType.F64}) {
      assertThat(FloatCodec.roundTo(type, nan)).as("%s", type).isNaN();
      assertThat(decode(type, encode(type, new float[] {nan}))[0]).as("%s", type).isNaN();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64"})
  void convertsPartsOfArraysAndMovesThePosition(DType type) {
    long seed = 20260101;
    Random random = new Random(seed);
    int size = type.bits() / 8;
    for (int count : new int[] {0, 1, 13, 4095, 4096, 4097, 10_000}) {
      float[] values = new float[count + 5];
      for (int i = 0; i < values.length; i++) {
        values[i] = FloatCodec.roundTo(type, (float) random.nextGaussian());
      }
      ByteBuffer bytes = ByteBuffer.allocateDirect(3 + count * size).order(ByteOrder.BIG_ENDIAN);
      bytes.position(3);
      FloatCodec.encode(type, values, 2, count, bytes);
      assertThat(bytes.remaining()).isZero();

      bytes.position(3);
      float[] back = new float[count + 5];
      FloatCodec.decode(type, bytes, back, 2, count);
      assertThat(bytes.remaining()).isZero();
      for (int i = 0; i < back.length; i++) {
        float expected = i < 2 || i >= 2 + count ? 0 : values[i];
        assertThat(back[i]).as("seed %d, count %d, index %d", seed, count, i).isEqualTo(expected);
      }
    }
  }

  @Test
  void narrowsDoublesToTheNearestFloat() {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putDouble(0.1).putDouble(1e300).flip();

    assertThat(decode(DType.F64, bytes)).containsExactly(0.1f, Float.POSITIVE_INFINITY);
  }

  @Test
  void refusesOtherTypesAndShortBuffers() {
    assertThatThrownBy(() -> FloatCodec.roundTo(DType.I8, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("I8");
    assertThatThrownBy(
            () -> FloatCodec.decode(DType.F16, ByteBuffer.allocate(3), new float[2], 0, 2))
        .isInstanceOf(BufferUnderflowException.class);
  }

  /** Sign, exponent and mantissa by the textbook, in F64. */
  private static double definition(int bits, int exponentBits, int mantissaBits) {
    int bias = (1 << (exponentBits - 1)) - 1;
    int exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
    double fraction = (bits & ((1 << mantissaBits) - 1)) / (double) (1 << mantissaBits);
    double sign = (bits & 0x8000) == 0 ? 1 : -1;
    if (exponent == (1 << exponentBits) - 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * Math.pow(2, 1 - bias)
        : sign * (1 + fraction) * Math.pow(2, exponent - bias);
  }

  private static ByteBuffer allShorts() {
    ByteBuffer bytes = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      bytes.putShort((short) bits);
    }
    return bytes.flip();
  }

  private static float[] decode(DType type, ByteBuffer bytes) {
    float[] values = new float[bytes.remaining() * 8 / type.bits()];
    FloatCodec.decode(type, bytes.duplicate(), values, 0, values.length);
    return values;
  }

  private static ByteBuffer encode(DType type, float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bits() / 8);
    FloatCodec.encode(type, values, 0, values.length, bytes);
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int stored(DType type, float value) {
    return encode(type, new float[] {value}).getShort() & 0xFFFF;
  }
}
