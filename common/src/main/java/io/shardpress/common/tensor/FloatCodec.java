package io.shardpress.common.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * Converts stored floating-point elements (BF16, F16, F32, F64; little-endian) to and from F32 in
 * bulk. Narrowing rounds half to even, overflow gives an infinity, NaN stays NaN.
 *
 * <p>Buffers are read and written from their position on, whatever their byte order, and their
 * position moves past the converted elements. Any other element type is an {@link
 * IllegalArgumentException}, a buffer that is too small a {@link java.nio.BufferUnderflowException}
 * or {@link java.nio.BufferOverflowException}.
 */
public final class FloatCodec {
  private static final int CHUNK = 4096;

  private FloatCodec() {}

  /** Converts {@code count} elements of {@code src} into {@code dst[dstOffset..]}. */
  public static void decode(DType type, ByteBuffer src, float[] dst, int dstOffset, int count) {
    ByteBuffer bytes = src.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    switch (checked(type)) {
      case F32 -> bytes.asFloatBuffer().get(dst, dstOffset, count);
      case F64 -> {
        var doubles = bytes.asDoubleBuffer();
        double[] chunk = new double[Math.min(CHUNK, count)];
        for (int done = 0; done < count; done += chunk.length) {
          int n = Math.min(chunk.length, count - done);
          doubles.get(chunk, 0, n);
          for (int i = 0; i < n; i++) {
            dst[dstOffset + done + i] = (float) chunk[i];
          }
        }
      }
      default -> decodeShorts(type, bytes.asShortBuffer(), dst, dstOffset, count);
    }
    src.position(src.position() + size(type, count));
  }

  /** Converts {@code count} values {@code src[srcOffset..]} into {@code dst}. */
  public static void encode(DType type, float[] src, int srcOffset, int count, ByteBuffer dst) {
    ByteBuffer bytes = dst.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    switch (checked(type)) {
      case F32 -> {
        FloatBuffer floats = bytes.asFloatBuffer();
        floats.put(src, srcOffset, count);
      }
      case F64 -> {
        var doubles = bytes.asDoubleBuffer();
        for (int i = 0; i < count; i++) {
          doubles.put(src[srcOffset + i]);
        }
      }
      default -> encodeShorts(type, src, srcOffset, count, bytes.asShortBuffer());
    }
    dst.position(dst.position() + size(type, count));
  }

  /** The value that is left after storing {@code value} in {@code type} and reading it back. */
  public static float roundTo(DType type, float value) {
    return switch (checked(type)) {
      case BF16 -> fromBf16(toBf16(value));
      case F16 -> fromF16(toF16(value));
      default -> value;
    };
  }

  private static void decodeShorts(
      DType type, ShortBuffer src, float[] dst, int dstOffset, int count) {
    short[] chunk = new short[Math.min(CHUNK, count)];
    for (int done = 0; done < count; done += chunk.length) {
      int n = Math.min(chunk.length, count - done);
      src.get(chunk, 0, n);
      int base = dstOffset + done;
      if (type == DType.BF16) {
        for (int i = 0; i < n; i++) {
          dst[base + i] = fromBf16(chunk[i]);
        }
      } else {
        for (int i = 0; i < n; i++) {
          dst[base + i] = fromF16(chunk[i]);
        }
      }
    }
  }

  private static void encodeShorts(
      DType type, float[] src, int srcOffset, int count, ShortBuffer dst) {
    short[] chunk = new short[Math.min(CHUNK, count)];
    for (int done = 0; done < count; done += chunk.length) {
      int n = Math.min(chunk.length, count - done);
      int base = srcOffset + done;
      if (type == DType.BF16) {
        for (int i = 0; i < n; i++) {
          chunk[i] = toBf16(src[base + i]);
        }
      } else {
        for (int i = 0; i < n; i++) {
          chunk[i] = toF16(src[base + i]);
        }
      }
      dst.put(chunk, 0, n);
    }
  }

  private static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  private static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x0040); // rounding could carry a NaN into an infinity
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  private static float fromF16(short bits) {
    int magnitude = bits & 0x7FFF;
    int sign = (bits & 0x8000) << 16;
    if (magnitude < 0x0400) { // zero and subnormals: steps of 2^-24
      return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * 0x1p-24f));
    }
    int rebiased = (magnitude << 13) + ((127 - 15) << 23);
    int special = magnitude >= 0x7C00 ? 0x7F800000 : 0;
    return Float.intBitsToFloat(sign | special | rebiased);
  }

  private static short toF16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      return (short) (sign | 0x7E00 | ((magnitude >>> 13) & 0x01FF));
    }
    if (magnitude >= 0x477FF000) { // 65520, half way between 65504 and 2^16, is infinity's border
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x38800000) { // below 2^-14: the unit in the last place of 0.5 is 2^-24
      float shifted = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | (Float.floatToRawIntBits(shifted) - 0x3F000000));
    }
    int rounded = magnitude + 0x0FFF + ((magnitude >>> 13) & 1) - ((127 - 15) << 23);
    return (short) (sign | (rounded >>> 13));
  }

  private static int size(DType type, int count) {
    return Math.multiplyExact(count, type.bits() / 8);
  }

  private static DType checked(DType type) {
    return switch (type) {
      case BF16, F16, F32, F64 -> type;
      default ->
          throw new IllegalArgumentException(
              "Elements of type " + type + " are not floats of 16, 32 or 64 bits");
    };
  }
}
