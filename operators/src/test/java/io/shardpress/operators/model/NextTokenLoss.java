package io.shardpress.operators.model;

/** Mean cross entropy of the next token, in plain Java. */
final class NextTokenLoss {
  private NextTokenLoss() {}

  /**
   * @param logits {@code [tokens.length, vocabulary]}
   */
  static double mean(float[] logits, long[] tokens, int length) {
    int vocabulary = logits.length / tokens.length;
    double sum = 0;
    int scored = 0;
    for (int i = 0; i < tokens.length; i++) {
      if (i % length < length - 1) {
        sum += loss(logits, i * vocabulary, vocabulary, (int) tokens[i + 1]);
        scored++;
      }
    }
    return sum / scored;
  }

  /** Cross entropy of one row. */
  static double loss(float[] logits, int from, int vocabulary, int target) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      max = Math.max(max, logits[from + i]);
    }
    double total = 0;
    for (int i = 0; i < vocabulary; i++) {
      total += Math.exp(logits[from + i] - max);
    }
    return Math.log(total) + max - logits[from + target];
  }
}
