package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Random;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A seeded layer, its Gram and a mask, as arrays, with what tests compute of them in F64. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SmallProblem(int out, int in, float[] dense, float[] pruned, float[] gram) {

  /** Magnitude pruning of about {@code sparsity}, with a Gram of {@code tokens}. */
  static SmallProblem random(long seed, int out, int in, int tokens, double sparsity) {
    try (INDArray weight = Layers.gaussian(seed, out, in);
        InputStatistics statistics = Layers.statistics(seed + 1, tokens, in)) {
      float[] dense = Floats.toArray(weight);
      float[] pruned = dense.clone();
      Random random = new Random(seed + 2);
      for (int i = 0; i < pruned.length; i++) {
        pruned[i] = random.nextDouble() < sparsity ? 0 : pruned[i];
      }
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      return new SmallProblem(out, in, dense, pruned, gram);
    }
  }

  /** Inputs that no token excited. */
  SmallProblem withDead(int... inputs) {
    float[] silent = gram.clone();
    for (int dead : inputs) {
      for (int j = 0; j < in; j++) {
        silent[dead * in + j] = 0;
        silent[j * in + dead] = 0;
      }
    }
    return new SmallProblem(out, in, dense, pruned, silent);
  }

  SmallProblem with(float[] otherPruned) {
    return new SmallProblem(out, in, dense, otherPruned, gram);
  }

  double meanDiagonal() {
    double sum = 0;
    for (int j = 0; j < in; j++) {
      sum += gram[j * in + j];
    }
    return sum / in;
  }

  /** {@code (Δ (G + λI))_j} for {@code Δ = W − Q} of a row. */
  double slope(float[] q, int row, int j, double lambda) {
    double sum = lambda * ((double) dense[row * in + j] - q[row * in + j]);
    for (int k = 0; k < in; k++) {
      sum += ((double) dense[row * in + k] - q[row * in + k]) * gram[k * in + j];
    }
    return sum;
  }

  /** {@code Δ G Δᵀ} of a row. */
  double loss(float[] q, int row) {
    double sum = 0;
    for (int j = 0; j < in; j++) {
      sum += ((double) dense[row * in + j] - q[row * in + j]) * slope(q, row, j, 0);
    }
    return sum;
  }

  double loss(float[] q) {
    double sum = 0;
    for (int row = 0; row < out; row++) {
      sum += loss(q, row);
    }
    return sum;
  }

  /** The norm of the gradient on the kept weights of a row. */
  double gradient(float[] q, int row, double lambda) {
    double sum = 0;
    for (int j = 0; j < in; j++) {
      double slope = pruned[row * in + j] == 0 ? 0 : slope(q, row, j, lambda);
      sum += slope * slope;
    }
    return Math.sqrt(sum);
  }

  /** The minimum on the mask of a row, by elimination of the masked normal equations in F64. */
  double[] direct(int row, double lambda) {
    double[][] a = new double[in][in + 1];
    for (int i = 0; i < in; i++) {
      a[i][i] = 1;
      if (pruned[row * in + i] != 0) {
        for (int j = 0; j < in; j++) {
          double h = gram[i * in + j] + (i == j ? lambda : 0);
          a[i][j] = pruned[row * in + j] == 0 ? 0 : h;
          a[i][in] += h * dense[row * in + j];
        }
      }
    }
    for (int i = 0; i < in; i++) { // symmetric positive definite: no pivoting
      for (int k = i + 1; k < in; k++) {
        double factor = a[k][i] / a[i][i];
        for (int j = i; j <= in; j++) {
          a[k][j] -= factor * a[i][j];
        }
      }
    }
    double[] solution = new double[in];
    for (int i = in - 1; i >= 0; i--) {
      double sum = a[i][in];
      for (int j = i + 1; j < in; j++) {
        sum -= a[i][j] * solution[j];
      }
      solution[i] = sum / a[i][i];
    }
    return solution;
  }
}
