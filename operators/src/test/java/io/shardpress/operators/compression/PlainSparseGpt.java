package io.shardpress.operators.compression;

/**
 * SparseGPT from its definition, in F64 and row by row: {@code H⁻¹ = UᵀU}, in every m columns the
 * weights with the smallest {@code w²/U_jj²} become zero, and later columns make up for them.
 */
final class PlainSparseGpt {
  private final int n;
  private final double[][] upper;

  PlainSparseGpt(float[] gram, int n, double damping) {
    this.n = n;
    double sum = 0;
    for (int j = 0; j < n; j++) {
      sum += gram[j * n + j];
    }
    double[][] h = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        h[i][j] = gram[i * n + j];
      }
      h[i][i] += damping * sum / n;
    }
    upper = upperFactor(inverse(h));
  }

  private double[][] inverse(double[][] a) {
    double[][] result = new double[n][n];
    for (int i = 0; i < n; i++) {
      result[i][i] = 1;
    }
    for (int i = 0; i < n; i++) { // symmetric positive definite: no pivoting
      double pivot = a[i][i];
      for (int j = 0; j < n; j++) {
        a[i][j] /= pivot;
        result[i][j] /= pivot;
      }
      for (int k = 0; k < n; k++) {
        double factor = k == i ? 0 : a[k][i];
        for (int j = 0; j < n; j++) {
          a[k][j] -= factor * a[i][j];
          result[k][j] -= factor * result[i][j];
        }
      }
    }
    return result;
  }

  private double[][] upperFactor(double[][] a) {
    double[][] u = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        double sum = a[i][j];
        for (int k = 0; k < i; k++) {
          sum -= u[k][i] * u[k][j];
        }
        u[i][j] = i == j ? Math.sqrt(sum) : sum / u[i][i];
      }
    }
    return u;
  }

  /** The pruned weight, row-major. */
  float[] prune(float[] weight, Pattern pattern) {
    float[] result = new float[weight.length];
    for (int at = 0; at < weight.length; at += n) {
      double[] row = new double[n];
      for (int j = 0; j < n; j++) {
        row[j] = weight[at + j];
      }
      prune(row, pattern);
      for (int j = 0; j < n; j++) {
        result[at + j] = (float) row[j];
      }
    }
    return result;
  }

  private void prune(double[] row, Pattern pattern) {
    boolean[] zero = new boolean[n];
    for (int j = 0; j < n; j++) {
      if (j % pattern.of() == 0) {
        choose(row, j, pattern, zero);
      }
      double kept = zero[j] ? 0 : row[j];
      double error = (row[j] - kept) / upper[j][j];
      for (int k = j + 1; k < n; k++) {
        row[k] -= error * upper[j][k];
      }
      row[j] = kept;
    }
  }

  private void choose(double[] row, int from, Pattern pattern, boolean[] zero) {
    for (int pruned = 0; pruned < pattern.of() - pattern.kept(); pruned++) {
      int cheapest = -1;
      for (int j = from; j < from + pattern.of(); j++) {
        if (!zero[j] && (cheapest < 0 || cost(row, j) < cost(row, cheapest))) {
          cheapest = j;
        }
      }
      zero[cheapest] = true;
    }
  }

  private double cost(double[] row, int j) {
    return row[j] * row[j] / (upper[j][j] * upper[j][j]);
  }
}
