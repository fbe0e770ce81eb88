package io.shardpress.operators.metrics;

/**
 * One position's logits as a distribution over the vocabulary: F32 logits, F64 sums, natural
 * logarithm.
 */
final class Prediction {
  private final float[] logits;
  private final int offset;
  private final int size;
  private final double logSum;
  private final int top;

  /** Reads {@code size} logits from {@code offset}; the array is borrowed. */
  Prediction(float[] logits, int offset, int size) {
    this.logits = logits;
    this.offset = offset;
    this.size = size;
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (logits[offset + i] > logits[offset + best]) {
        best = i;
      }
    }
    this.top = best;
    float max = logits[offset + best];
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += Math.exp(logits[offset + i] - max);
    }
    this.logSum = max + Math.log(sum);
  }

  /** The most likely token; the lowest id on a tie. */
  int top() {
    return top;
  }

  double logProbability(int token) {
    return logits[offset + token] - logSum;
  }

  /** KL(this ‖ other) = Σ p (log p − log q), never below zero. */
  double divergenceFrom(Prediction other) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      float mine = logits[offset + i];
      sum += Math.exp(mine - logSum) * (mine - other.logits[other.offset + i]);
    }
    return Math.max(0, sum - logSum + other.logSum);
  }
}
