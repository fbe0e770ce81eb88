package io.shardpress.operators.encoding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * Unsigned codes of {@code b} bits as one stream per row, least significant bit first: element i
 * takes bits {@code [i·b, (i+1)·b)}, straddling 32-bit words where it must; the last word is padded
 * with zero bits.
 *
 * <p>Eight codes, a byte each in a 64-bit word, are {@code b} bytes of the stream: they are pushed
 * together in three steps that double how many lie side by side, and pulled apart in three. Scratch
 * of one thread.
 */
public final class BitStream {
  /** Words worked on together: the vectorized loops are short, and stay in the cache. */
  private static final int CHUNK = 512;

  private static final int CODES = 8;
  private static final long EACH_BYTE = 0x0101_0101_0101_0101L;
  private static final long EACH_SHORT = 0x0001_0001_0001_0001L;
  private static final long EACH_INT = 0x0000_0001_0000_0001L;
  private static final long EVEN_BYTES = 0x00ff_00ff_00ff_00ffL;
  private static final long EVEN_SHORTS = 0x0000_ffff_0000_ffffL;
  private static final long LOW_INT = 0x0000_0000_ffff_ffffL;
  private static final long SIGNS = 0x8080_8080_8080_8080L;

  private final int bits;
  private final int offset;
  private final long[] chunk = new long[CHUNK];

  /** A stream of signed codes, each raised by {@code 2^(bits−1)} to make it unsigned. */
  public BitStream(int bits) {
    this.bits = bits;
    offset = 1 << (bits - 1);
  }

  /** 32-bit words of a row of {@code count} codes. */
  public static int words(long count, int bits) {
    return Math.toIntExact((count * bits + 31) / 32);
  }

  /** Writes {@code count} codes from {@code from} on to the buffer's bytes from {@code at} on. */
  public void pack(byte[] codes, int from, int count, ByteBuffer into, int at) {
    int end = at + 4 * words(count, bits);
    int done = 0;
    int to = at;
    // eight bytes are written where b of them count: the next ones overwrite the rest
    for (int n = steps(count - done, end - to); n > 0; n = steps(count - done, end - to)) {
      view(codes, from + done, n).get(chunk, 0, n);
      together(chunk, n);
      for (int k = 0; k < n; k++, to += bits) {
        into.putLong(to, chunk[k]);
      }
      done += n * CODES;
    }
    long pending = 0;
    int filled = 0;
    for (int i = done; i < count; i++) {
      pending |= (long) (codes[from + i] + offset) << filled;
      for (filled += bits; filled >= 8; filled -= 8, pending >>>= 8) {
        into.put(to++, (byte) pending);
      }
    }
    for (; to < end; pending >>>= 8) {
      into.put(to++, (byte) pending);
    }
  }

  /** Reads what {@link #pack} wrote from the buffer's bytes from {@code at} on. */
  public void unpack(ByteBuffer from, int at, int count, byte[] codes, int to) {
    int end = at + 4 * words(count, bits);
    int done = 0;
    int next = at;
    for (int n = steps(count - done, end - next); n > 0; n = steps(count - done, end - next)) {
      for (int k = 0; k < n; k++, next += bits) {
        chunk[k] = from.getLong(next);
      }
      apart(chunk, n);
      view(codes, to + done, n).put(chunk, 0, n);
      done += n * CODES;
    }
    long pending = 0;
    int available = 0;
    for (int i = done; i < count; i++) {
      for (; available < bits; available += 8) {
        pending |= (from.get(next++) & 0xffL) << available;
      }
      codes[to + i] = (byte) ((pending & mask(bits)) - offset);
      pending >>>= bits;
      available -= bits;
    }
  }

  /**
   * How many times eight codes and eight bytes of the stream, b apart, are left; a chunk at most.
   */
  private int steps(int codesLeft, int bytesLeft) {
    int bySpace = bytesLeft < CODES ? 0 : (bytesLeft - CODES) / bits + 1;
    return Math.min(CHUNK, Math.min(codesLeft / CODES, bySpace));
  }

  private static LongBuffer view(byte[] codes, int from, int longs) {
    return ByteBuffer.wrap(codes, from, longs * CODES)
        .slice()
        .order(ByteOrder.LITTLE_ENDIAN)
        .asLongBuffer();
  }

  /** Makes of eight signed bytes {@code 8·bits} bits, with zeros above. */
  private void together(long[] x, int n) {
    // raising by 2^(b-1) flips the sign bit of b-bit numbers
    long raised = EACH_BYTE * offset;
    long used = EACH_BYTE * mask(bits);
    int byOne = 8 - bits;
    int byTwo = 2 * byOne;
    int byFour = 4 * byOne;
    for (int k = 0; k < n; k++) {
      long ones = (x[k] ^ raised) & used;
      long twos = (ones & EVEN_BYTES) | ((ones & ~EVEN_BYTES) >>> byOne);
      long fours = (twos & EVEN_SHORTS) | ((twos & ~EVEN_SHORTS) >>> byTwo);
      x[k] = (fours & LOW_INT) | ((fours & ~LOW_INT) >>> byFour);
    }
  }

  /** Makes of the lowest {@code 8·bits} bits eight signed bytes. */
  private void apart(long[] x, int n) {
    int byOne = 8 - bits;
    int byTwo = 2 * byOne;
    int byFour = 4 * byOne;
    long lowFour = mask(4 * bits);
    long highFour = lowFour << (4 * bits);
    long lowTwos = EACH_INT * mask(2 * bits);
    long highTwos = lowTwos << (2 * bits);
    long lowOnes = EACH_SHORT * mask(bits);
    long highOnes = lowOnes << bits;
    // a sign bit keeps each byte from borrowing of the next; eight bits are lowered by flipping it
    long guard = bits == 8 ? 0 : SIGNS;
    long lowered = bits == 8 ? 0 : EACH_BYTE * offset;
    for (int k = 0; k < n; k++) {
      long fours = (x[k] & lowFour) | ((x[k] & highFour) << byFour);
      long twos = (fours & lowTwos) | ((fours & highTwos) << byTwo);
      long ones = (twos & lowOnes) | ((twos & highOnes) << byOne);
      x[k] = ((ones | guard) - lowered) ^ SIGNS;
    }
  }

  private static long mask(int bits) {
    return (1L << bits) - 1;
  }
}
