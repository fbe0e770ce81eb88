package io.shardpress.operators.metrics;

import io.shardpress.operators.linalg.RowLoops;
import java.util.Arrays;

/** One position's logits as a distribution over the vocabulary, in nats. */
final class Prediction {
  private final float[] logits;
  private final int offset;
  private final float[] probabilities;
  private final double logSum;
  private final int top;

  /** Reads {@code size} logits from {@code offset}; the array is borrowed. */
  Prediction(float[] logits, int offset, int size) {
    this.logits = logits;
    this.offset = offset;
    this.top = largest(logits, offset, size);
    this.probabilities = Arrays.copyOfRange(logits, offset, offset + size);
    RowLoops.softmax(probabilities, 0, size);
    // The largest probability is at least 1/size, so its logarithm is exact enough.
    this.logSum = logits[offset + top] - Math.log(probabilities[top]);
  }

  private static int largest(float[] logits, int offset, int size) {
    int best = 0;
    for (int i = 1; i < size; i++) {
      if (logits[offset + i] > logits[offset + best]) {
        best = i;
      }
    }
    return best;
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
    for (int i = 0; i < probabilities.length; i++) {
      sum += (double) probabilities[i] * (logits[offset + i] - other.logits[other.offset + i]);
    }
    return Math.max(0, sum - logSum + other.logSum);
  }
}
