package io.shardpress.operators.coding;

import java.nio.ByteBuffer;

/** How often each byte symbol occurs; not thread-safe. */
public final class SymbolCounts {
  static final int SYMBOLS = 256;

  private final long[] counts = new long[SYMBOLS];

  /** Counts {@code count} symbols from {@code from} on. */
  void add(byte[] symbols, int from, int count) {
    for (int i = from; i < from + count; i++) {
      counts[symbols[i] & 0xff]++;
    }
  }

  /** Counts all bytes from the buffer's position to its limit, which stay where they are. */
  public void add(ByteBuffer bytes) {
    for (int i = bytes.position(); i < bytes.limit(); i++) {
      counts[bytes.get(i) & 0xff]++;
    }
  }

  long of(int symbol) {
    return counts[symbol];
  }

  public long total() {
    long total = 0;
    for (long count : counts) {
      total += count;
    }
    return total;
  }

  /** The same but for {@code less} occurrences of a symbol. */
  SymbolCounts without(int symbol, long less) {
    SymbolCounts rest = new SymbolCounts();
    System.arraycopy(counts, 0, rest.counts, 0, SYMBOLS);
    rest.counts[symbol] -= less;
    return rest;
  }

  /**
   * What all symbols carry together, in bits: {@code Σ c·log2(n/c)}, the least that any code of one
   * symbol after the other, with one table for all of them, can take.
   */
  public double bits() {
    double total = total();
    double nats = 0;
    for (long count : counts) {
      if (count > 0) {
        nats += count * Math.log(total / count);
      }
    }
    return nats / Math.log(2);
  }
}
