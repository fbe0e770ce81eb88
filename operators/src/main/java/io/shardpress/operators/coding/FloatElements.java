package io.shardpress.operators.coding;

import io.shardpress.common.tensor.DType;
import java.nio.ByteBuffer;

/**
 * Floating-point numbers as their bits: a plane of exponents, which carry little and are coded
 * well, and planes of the sign with the mantissa, its highest bits first. Any bits come back as
 * they were: of numbers that are none, of infinities, and of zeros with a sign. The zero of masks
 * is the one without.
 *
 * @param type F32, F16 or BF16
 */
public record FloatElements(DType type) implements Elements {
  public FloatElements {
    if (!type.isWeightFloat()) {
      throw new IllegalArgumentException(type + " is not taken apart into planes");
    }
  }

  private int mantissaBits() {
    return type == DType.F32 ? 23 : type == DType.F16 ? 10 : 7;
  }

  private int exponentMask() {
    return type == DType.F16 ? 0x1f : 0xff;
  }

  /** The exponent, and the sign and mantissa in whole bytes. */
  @Override
  public int planes() {
    return 1 + (mantissaBits() + 1 + 7) / 8;
  }

  @Override
  public int unitElements() {
    return 1;
  }

  @Override
  public int unitBytes() {
    return type.bits() / 8;
  }

  @Override
  public boolean split(ByteBuffer source, int units, byte[][] planes) {
    int mantissa = mantissaBits();
    int exponents = exponentMask();
    int sign = type.bits() - 1;
    int mantissas = (1 << mantissa) - 1;
    int rests = planes() - 1;
    boolean wide = type == DType.F32;
    for (int i = 0; i < units; i++) {
      int bits = wide ? source.getInt(4 * i) : source.getShort(2 * i) & 0xffff;
      planes[0][i] = (byte) ((bits >>> mantissa) & exponents);
      int rest = ((bits >>> sign) << mantissa) | (bits & mantissas);
      for (int plane = rests; plane > 0; plane--, rest >>>= 8) {
        planes[plane][i] = (byte) rest;
      }
    }
    return true;
  }

  @Override
  public void join(byte[][] planes, int units, ByteBuffer into) {
    int mantissa = mantissaBits();
    int exponents = exponentMask();
    int sign = type.bits() - 1;
    int mantissas = (1 << mantissa) - 1;
    int rests = planes() - 1;
    boolean wide = type == DType.F32;
    for (int i = 0; i < units; i++) {
      int rest = 0;
      for (int plane = 1; plane <= rests; plane++) {
        rest = (rest << 8) | (planes[plane][i] & 0xff);
      }
      int bits =
          ((rest >>> mantissa) << sign)
              | ((planes[0][i] & exponents) << mantissa)
              | (rest & mantissas);
      if (wide) {
        into.putInt(4 * i, bits);
      } else {
        into.putShort(2 * i, (short) bits);
      }
    }
  }
}
