package io.shardpress.operators.coding;

import java.nio.ByteBuffer;

/**
 * One chunk of symbols as a number, by range asymmetric numeral systems (Duda, arXiv:1311.2540,
 * section 3): a state {@code x} takes in a symbol of frequency f and start c as {@code x' = ⌊x/f⌋·M
 * + c + x mod f}, where M is the table's total, and gives it back by {@code x mod M}. It is kept in
 * {@code [2^32, 2^48)} by moving 16 bits at a time to or from the stream.
 *
 * <p>Symbols of even and of odd places have states of their own, so that a processor works on both
 * at once. Encoding goes from the last symbol to the first. A chunk is both states, 48 bits each,
 * least significant byte first, and the 16-bit words in the order of decoding.
 */
final class Rans {
  private static final long LOWEST = 1L << 32;
  private static final int WORD_BITS = 16;
  private static final int WORD_MASK = 0xffff;
  private static final int STATE_BYTES = 6;
  private static final int SLOT_MASK = RansTable.TOTAL - 1;

  private Rans() {}

  /** The most bytes that a chunk of {@code count} symbols can take. */
  static int mostBytes(int count) {
    return 2 * STATE_BYTES + Short.BYTES * count;
  }

  /**
   * Encodes {@code count} symbols from {@code from} on into the end of {@code into}, of at least
   * {@link #mostBytes}.
   *
   * @return where the chunk begins there
   * @throws IllegalArgumentException for a symbol that the table does not have
   */
  static int encode(RansTable table, byte[] symbols, int from, int count, byte[] into) {
    int[] frequencies = table.frequencies();
    int[] starts = table.starts();
    int at = into.length;
    long even = LOWEST;
    long odd = LOWEST;
    int i = count - 1;
    if ((i & 1) == 0) {
      int symbol = symbols[from + i] & 0xff;
      int frequency = present(frequencies, symbol);
      at = spill(even, frequency, into, at);
      even = taken(rest(even, frequency), frequency, starts[symbol]);
      i--;
    }
    for (; i > 0; i -= 2) {
      int second = symbols[from + i] & 0xff;
      int first = symbols[from + i - 1] & 0xff;
      int ofSecond = present(frequencies, second);
      int ofFirst = present(frequencies, first);
      at = spill(odd, ofSecond, into, at);
      odd = taken(rest(odd, ofSecond), ofSecond, starts[second]);
      at = spill(even, ofFirst, into, at);
      even = taken(rest(even, ofFirst), ofFirst, starts[first]);
    }
    at = putState(odd, into, at);
    return putState(even, into, at);
  }

  private static int present(int[] frequencies, int symbol) {
    int frequency = frequencies[symbol];
    if (frequency == 0) {
      throw new IllegalArgumentException("Symbol " + symbol + " is not in the table");
    }
    return frequency;
  }

  private static boolean isFull(long state, int frequency) {
    return state >= (long) frequency << 32;
  }

  private static int spill(long state, int frequency, byte[] into, int at) {
    if (!isFull(state, frequency)) {
      return at;
    }
    into[at - 2] = (byte) state;
    into[at - 1] = (byte) (state >> 8);
    return at - 2;
  }

  private static long rest(long state, int frequency) {
    return isFull(state, frequency) ? state >>> WORD_BITS : state;
  }

  private static long taken(long state, int frequency, int start) {
    long quotient = state / frequency;
    return (quotient << RansTable.SCALE_BITS) + (state - quotient * frequency) + start;
  }

  private static int putState(long state, byte[] into, int end) {
    for (int i = 0; i < STATE_BYTES; i++) {
      into[end - STATE_BYTES + i] = (byte) (state >>> (8 * i));
    }
    return end - STATE_BYTES;
  }

  /**
   * Decodes the {@code count} symbols of a chunk.
   *
   * @param chunk from its position to its limit; in an array
   * @throws DamagedStreamException when that is no chunk of so many symbols
   */
  static void decode(RansTable table, ByteBuffer chunk, int count, byte[] symbols, int to) {
    if (chunk.remaining() < 2 * STATE_BYTES) {
      throw damaged();
    }
    byte[] bytes = chunk.array();
    int at = chunk.arrayOffset() + chunk.position();
    int end = at + chunk.remaining();
    byte[] slots = table.slots();
    int[] frequencies = table.frequencies();
    int[] starts = table.starts();
    long even = state(bytes, at);
    long odd = state(bytes, at + STATE_BYTES);
    at += 2 * STATE_BYTES;
    int next = to;
    int last = to + count;
    while (next < last) {
      int slot = (int) even & SLOT_MASK;
      byte symbol = slots[slot];
      symbols[next++] = symbol;
      even = given(even, slot, frequencies[symbol & 0xff], starts[symbol & 0xff]);
      if (even < LOWEST) {
        even = (even << WORD_BITS) | word(bytes, at, end);
        at += Short.BYTES;
      }
      if (next == last) {
        break;
      }
      slot = (int) odd & SLOT_MASK;
      symbol = slots[slot];
      symbols[next++] = symbol;
      odd = given(odd, slot, frequencies[symbol & 0xff], starts[symbol & 0xff]);
      if (odd < LOWEST) {
        odd = (odd << WORD_BITS) | word(bytes, at, end);
        at += Short.BYTES;
      }
    }
    if (even != LOWEST || odd != LOWEST || at != end) {
      throw damaged();
    }
  }

  private static long given(long state, int slot, int frequency, int start) {
    return frequency * (state >>> RansTable.SCALE_BITS) + slot - start;
  }

  private static int word(byte[] bytes, int at, int end) {
    if (end - at < Short.BYTES) {
      throw damaged();
    }
    return ((bytes[at] & 0xff) | (bytes[at + 1] << 8)) & WORD_MASK;
  }

  private static long state(byte[] bytes, int at) {
    long state = 0;
    for (int i = 0; i < STATE_BYTES; i++) {
      state |= (bytes[at + i] & 0xffL) << (8 * i);
    }
    return state;
  }

  private static DamagedStreamException damaged() {
    return new DamagedStreamException("a chunk does not hold the symbols that it should");
  }
}
