package io.shardpress.operators.coding;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Frequencies of at least two symbols, scaled to a sum of {@value #TOTAL}: what an encoder and its
 * decoder agree on. Every symbol that occurs has at least 1. Of one thread, as the decoder's side
 * is made when it is first asked for.
 *
 * <p>Stored as 256 bits, symbol 0 first, that say which symbols there are, and 16 bits with the
 * frequency of each of these.
 */
final class RansTable {
  static final int SCALE_BITS = 16;
  static final int TOTAL = 1 << SCALE_BITS;
  private static final int PRESENCE_BYTES = SymbolCounts.SYMBOLS / 8;

  /** Empty until the first decoder asks. */
  private byte[] slots = new byte[0];

  private final int[] frequencies;
  private final int[] starts = new int[SymbolCounts.SYMBOLS];

  private RansTable(int[] frequencies) {
    this.frequencies = frequencies;
    int start = 0;
    for (int symbol = 0; symbol < frequencies.length; symbol++) {
      starts[symbol] = start;
      start += frequencies[symbol];
    }
  }

  /** The table for a stream of these symbols, two different ones at least. */
  static RansTable of(SymbolCounts counts) {
    double scale = TOTAL / (double) counts.total();
    int[] frequencies = new int[SymbolCounts.SYMBOLS];
    int sum = 0;
    for (int symbol = 0; symbol < frequencies.length; symbol++) {
      long count = counts.of(symbol);
      frequencies[symbol] = count == 0 ? 0 : Math.max(1, (int) (count * scale));
      sum += frequencies[symbol];
    }
    for (; sum < TOTAL; sum++) {
      frequencies[mostMissed(frequencies, counts, scale)]++;
    }
    for (; sum > TOTAL; sum--) {
      frequencies[largest(frequencies)]--;
    }
    return new RansTable(frequencies);
  }

  /** The symbol whose frequency lies furthest below its share. */
  private static int mostMissed(int[] frequencies, SymbolCounts counts, double scale) {
    int best = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int symbol = 0; symbol < frequencies.length; symbol++) {
      double missed = counts.of(symbol) * scale - frequencies[symbol];
      if (frequencies[symbol] > 0 && missed > most) {
        most = missed;
        best = symbol;
      }
    }
    return best;
  }

  private static int largest(int[] frequencies) {
    int best = 0;
    for (int symbol = 1; symbol < frequencies.length; symbol++) {
      best = frequencies[symbol] > frequencies[best] ? symbol : best;
    }
    return best;
  }

  /** Reads what {@link #write} wrote. */
  static RansTable read(ByteBuffer from) {
    if (from.remaining() < PRESENCE_BYTES) {
      throw new DamagedStreamException("a table of frequencies is cut short");
    }
    byte[] presence = new byte[PRESENCE_BYTES];
    from.get(presence);
    int[] frequencies = new int[SymbolCounts.SYMBOLS];
    int sum = 0;
    for (int symbol = 0; symbol < frequencies.length; symbol++) {
      if (((presence[symbol / 8] >> (symbol % 8)) & 1) == 0) {
        continue;
      }
      if (from.remaining() < Short.BYTES) {
        throw new DamagedStreamException("a table of frequencies is cut short");
      }
      frequencies[symbol] = from.getShort() & 0xffff;
      if (frequencies[symbol] == 0) {
        throw new DamagedStreamException("a frequency is 0");
      }
      sum += frequencies[symbol];
    }
    if (sum != TOTAL) {
      throw new DamagedStreamException(
          "the frequencies of a table have the sum %d, not %d".formatted(sum, TOTAL));
    }
    return new RansTable(frequencies);
  }

  void write(ByteBuffer into) {
    byte[] presence = new byte[PRESENCE_BYTES];
    for (int symbol = 0; symbol < frequencies.length; symbol++) {
      presence[symbol / 8] |= (byte) (frequencies[symbol] > 0 ? 1 << (symbol % 8) : 0);
    }
    into.put(presence);
    for (int frequency : frequencies) {
      if (frequency > 0) {
        into.putShort((short) frequency);
      }
    }
  }

  /** Bytes that {@link #write} takes. */
  int bytes() {
    int bytes = PRESENCE_BYTES;
    for (int frequency : frequencies) {
      bytes += frequency > 0 ? Short.BYTES : 0;
    }
    return bytes;
  }

  /** By symbol; not to be changed. */
  int[] frequencies() {
    return frequencies;
  }

  /** The sum of the frequencies of all lower symbols, by symbol; not to be changed. */
  int[] starts() {
    return starts;
  }

  /** The symbol that each of the {@value #TOTAL} slots belongs to; not to be changed. */
  byte[] slots() {
    if (slots.length == 0) {
      byte[] filled = new byte[TOTAL];
      for (int symbol = 0; symbol < frequencies.length; symbol++) {
        Arrays.fill(filled, starts[symbol], starts[symbol] + frequencies[symbol], (byte) symbol);
      }
      slots = filled;
    }
    return slots;
  }
}
