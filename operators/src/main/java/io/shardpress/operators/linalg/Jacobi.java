package io.shardpress.operators.linalg;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Jacobi's methods: rotations until all columns are orthogonal. Slow, short, and accurate to the
 * last digits, which makes them the reference.
 */
final class Jacobi {
  private static final int SWEEPS = 60;
  private static final double ORTHOGONAL = 1e-15;

  private Jacobi() {}

  /** See {@link MatrixKernels#symmetricEigen}. */
  static void eigen(int n, double[] a, double[] values) {
    // A + shift is positive definite: its singular vectors are the eigenvectors of A.
    double shift = 0;
    for (int i = 0; i < n; i++) {
      double row = 0;
      for (int j = 0; j < n; j++) {
        row += Math.abs(a[i * n + j]);
      }
      shift = Math.max(shift, row);
    }
    for (int i = 0; i < n; i++) {
      a[i * n + i] += 2 * shift;
    }
    double[] u = new double[n * n];
    double[] descending = new double[n];
    double[] vt = new double[n * n];
    singular(n, n, a, u, descending, vt);
    for (int i = 0; i < n; i++) {
      values[i] = descending[n - 1 - i] - 2 * shift;
      System.arraycopy(vt, (n - 1 - i) * n, a, i * n, n);
    }
  }

  /** One-sided (Hestenes, 1958); see {@link MatrixKernels#singularValues}. */
  static void singular(int m, int n, double[] a, double[] u, double[] values, double[] vt) {
    if (m < n) {
      double[] left = new double[m * m];
      double[] right = new double[m * n];
      singular(n, m, transposed(m, n, a), right, values, left);
      System.arraycopy(transposed(m, m, left), 0, u, 0, m * m);
      System.arraycopy(transposed(n, m, right), 0, vt, 0, m * n);
      return;
    }
    double[][] columns = new double[n][m];
    double[][] rotations = new double[n][n];
    for (int j = 0; j < n; j++) {
      rotations[j][j] = 1;
      for (int i = 0; i < m; i++) {
        columns[j][i] = a[i * n + j];
      }
    }
    boolean rotated = true;
    for (int sweep = 0; sweep < SWEEPS && rotated; sweep++) {
      rotated = rotateAll(columns, rotations);
    }
    double[] norms = Arrays.stream(columns).mapToDouble(c -> Math.sqrt(dot(c, c))).toArray();
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(j -> -norms[j]))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int k = 0; k < n; k++) {
      values[k] = norms[order[k]];
      for (int i = 0; i < m; i++) {
        u[i * n + k] = values[k] > 0 ? columns[order[k]][i] / values[k] : 0;
      }
      System.arraycopy(rotations[order[k]], 0, vt, k * n, n);
    }
  }

  /** Rotates every pair once; whether any was not orthogonal. */
  private static boolean rotateAll(double[][] columns, double[][] rotations) {
    boolean rotated = false;
    for (int p = 0; p < columns.length; p++) {
      for (int q = p + 1; q < columns.length; q++) {
        double pp = dot(columns[p], columns[p]);
        double qq = dot(columns[q], columns[q]);
        double pq = dot(columns[p], columns[q]);
        if (Math.abs(pq) > ORTHOGONAL * Math.sqrt(pp * qq)) {
          double zeta = (qq - pp) / (2 * pq);
          double t = Math.copySign(1 / (Math.abs(zeta) + Math.hypot(1, zeta)), zeta);
          double cosine = 1 / Math.hypot(1, t);
          rotate(columns[p], columns[q], cosine, cosine * t);
          rotate(rotations[p], rotations[q], cosine, cosine * t);
          rotated = true;
        }
      }
    }
    return rotated;
  }

  private static void rotate(double[] x, double[] y, double cosine, double sine) {
    for (int i = 0; i < x.length; i++) {
      double first = x[i];
      x[i] = cosine * first - sine * y[i];
      y[i] = sine * first + cosine * y[i];
    }
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  private static double[] transposed(int rows, int columns, double[] a) {
    double[] result = new double[a.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        result[j * rows + i] = a[i * columns + j];
      }
    }
    return result;
  }
}
