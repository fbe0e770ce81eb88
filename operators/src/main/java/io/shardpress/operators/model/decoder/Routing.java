package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.description.ExpertsSpec.Weighting;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which tokens every expert gets, in token order, and with which weights. Among equal probabilities
 * the expert with the lower index wins.
 */
final class Routing {
  private final int[][] tokens;
  private final float[][] shares;

  private Routing(int[][] tokens, float[][] shares) {
    this.tokens = tokens;
    this.shares = shares;
  }

  /** Routes by router logits {@code [tokens, experts]}. */
  static Routing of(INDArray logits, int perToken, Weighting weighting) {
    int experts = Floats.columns(logits);
    Builder builder = new Builder(experts, perToken, weighting);
    int rows = Floats.rows(logits);
    float[] values = new float[experts];
    for (int token = 0; token < rows; token++) {
      Floats.readRow(logits, token, values);
      builder.add(token, values);
    }
    return builder.build();
  }

  /** Indexes of the tokens of one expert, ascending. */
  int[] tokens(int expert) {
    return tokens[expert];
  }

  /** Their weights. */
  float[] shares(int expert) {
    return shares[expert];
  }

  private static final class Builder {
    private final int[][] tokens;
    private final float[][] shares;
    private final int[] counts;
    private final int[] chosen;
    private final Weighting weighting;

    Builder(int experts, int perToken, Weighting weighting) {
      tokens = new int[experts][16];
      shares = new float[experts][16];
      counts = new int[experts];
      chosen = new int[perToken];
      this.weighting = weighting;
    }

    /** Routes one token; {@code probabilities} holds its logits and is used up. */
    void add(int token, float[] probabilities) {
      RowLoops.softmax(probabilities, 0, probabilities.length);
      float total = 0;
      for (int i = 0; i < chosen.length; i++) {
        chosen[i] = best(probabilities, i);
        total += probabilities[chosen[i]];
      }
      float divisor =
          switch (weighting) {
            case PROBABILITIES -> 1;
            case RENORMALIZED -> total;
          };
      for (int expert : chosen) {
        append(expert, token, probabilities[expert] / divisor);
      }
    }

    /** The most probable expert that is not among the first {@code taken} chosen ones. */
    private int best(float[] probabilities, int taken) {
      int best = -1;
      for (int expert = 0; expert < probabilities.length; expert++) {
        if (!isChosen(expert, taken) && (best < 0 || probabilities[expert] > probabilities[best])) {
          best = expert;
        }
      }
      return best;
    }

    private boolean isChosen(int expert, int taken) {
      for (int i = 0; i < taken; i++) {
        if (chosen[i] == expert) {
          return true;
        }
      }
      return false;
    }

    private void append(int expert, int token, float share) {
      int count = counts[expert]++;
      if (count == tokens[expert].length) {
        tokens[expert] = Arrays.copyOf(tokens[expert], 2 * count);
        shares[expert] = Arrays.copyOf(shares[expert], 2 * count);
      }
      tokens[expert][count] = token;
      shares[expert][count] = share;
    }

    Routing build() {
      for (int expert = 0; expert < counts.length; expert++) {
        tokens[expert] = Arrays.copyOf(tokens[expert], counts[expert]);
        shares[expert] = Arrays.copyOf(shares[expert], counts[expert]);
      }
      return new Routing(tokens, shares);
    }
  }
}
