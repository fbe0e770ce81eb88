package io.shardpress.operators.coding;

import java.util.Random;

/** Makes streams of symbols that are distributed in many ways. */
final class Symbols {
  private Symbols() {}

  /**
   * Symbols of a random alphabet with random weights.
   *
   * @param alphabet different symbols at most, 1 to 256
   * @param skew 0 for equal weights; the higher, the rarer are most symbols
   */
  static byte[] random(long seed, int length, int alphabet, double skew) {
    Random random = new Random(seed);
    int first = random.nextInt(257 - alphabet);
    double[] sums = new double[alphabet];
    double sum = 0;
    for (int i = 0; i < alphabet; i++) {
      sum += Math.pow(random.nextDouble() + 1e-9, skew);
      sums[i] = sum;
    }
    byte[] symbols = new byte[length];
    for (int i = 0; i < length; i++) {
      double at = random.nextDouble() * sum;
      int symbol = java.util.Arrays.binarySearch(sums, at);
      symbols[i] = (byte) (first + Math.min(alphabet - 1, symbol < 0 ? -symbol - 1 : symbol));
    }
    return symbols;
  }

  static SymbolCounts counts(byte[] symbols) {
    SymbolCounts counts = new SymbolCounts();
    counts.add(symbols, 0, symbols.length);
    return counts;
  }
}
