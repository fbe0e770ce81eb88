package io.shardpress.operators.encoding;

import java.nio.ByteBuffer;

/**
 * Unsigned codes of {@code b} bits as one stream per row, least significant bit first: element i
 * takes bits {@code [i·b, (i+1)·b)}, straddling 32-bit words where it must; the last word is padded
 * with zero bits.
 */
final class BitStream {
  private BitStream() {}

  /** 32-bit words of a row of {@code count} codes. */
  static int words(long count, int bits) {
    return Math.toIntExact((count * bits + 31) / 32);
  }

  /**
   * Appends {@code count} codes, each raised by {@code offset} to make it unsigned.
   *
   * @param stride distance between the codes in {@code codes}
   */
  static void pack(
      byte[] codes, int from, int stride, int count, int offset, int bits, ByteBuffer into) {
    long pending = 0;
    int filled = 0;
    int at = from;
    for (int i = 0; i < count; i++, at += stride) {
      pending |= (long) (codes[at] + offset) << filled;
      filled += bits;
      if (filled >= 32) {
        into.putInt((int) pending);
        pending >>>= 32;
        filled -= 32;
      }
    }
    if (filled > 0) {
      into.putInt((int) pending);
    }
  }

  /** Reads what {@link #pack} wrote, from the buffer's position on. */
  static void unpack(
      ByteBuffer from, int bits, int offset, int count, byte[] codes, int to, int stride) {
    long pending = 0;
    int available = 0;
    int mask = (1 << bits) - 1;
    int at = to;
    for (int i = 0; i < count; i++, at += stride) {
      if (available < bits) {
        pending |= (from.getInt() & 0xffff_ffffL) << available;
        available += 32;
      }
      codes[at] = (byte) ((int) (pending & mask) - offset);
      pending >>>= bits;
      available -= bits;
    }
  }
}
