package io.shardpress.common.tensor;

import java.util.Optional;

/**
 * Element types of safetensors files, in the rank order of the reference writer (low to high; files
 * are laid out by descending rank).
 */
public enum DType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** Size of one element in bits; six for the packed F6 types. */
  public int bits() {
    return bits;
  }

  /** Whether weights of this type can be read as F32: F32, F16 or BF16. */
  public boolean isWeightFloat() {
    return this == F32 || this == F16 || this == BF16;
  }

  /** The type with this name in a safetensors header, if there is one. */
  public static Optional<DType> named(String name) {
    for (DType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
