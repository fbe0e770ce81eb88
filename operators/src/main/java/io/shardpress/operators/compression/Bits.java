package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;

/** The code widths that runtimes read. */
final class Bits {
  private Bits() {}

  static void check(int bits) {
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
      throw new InputException("bits = %d: give 2, 3, 4 or 8.".formatted(bits));
    }
  }
}
