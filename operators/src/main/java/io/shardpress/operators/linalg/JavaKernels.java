package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.FloatPointer;

/**
 * The reference: plain loops with F64 sums. Correct everywhere, fast nowhere; used where no native
 * library loads, and by the tests.
 */
final class JavaKernels implements MatrixKernels {

  @Override
  public String description() {
    return "java (no native library), 1 thread";
  }

  @Override
  public void multiply(
      Form formA,
      Form formB,
      int m,
      int n,
      int k,
      float alpha,
      FloatPointer a,
      int lda,
      FloatPointer b,
      int ldb,
      float beta,
      FloatPointer c,
      int ldc) {
    float[] columnOrRow = new float[k];
    float[][] right = new float[n][];
    for (int j = 0; j < n; j++) {
      right[j] = new float[k];
      vector(formB == Form.TRANSPOSED, b, ldb, j, right[j]);
    }
    for (int i = 0; i < m; i++) {
      vector(formA == Form.PLAIN, a, lda, i, columnOrRow);
      for (int j = 0; j < n; j++) {
        long at = (long) i * ldc + j;
        double old = beta == 0f ? 0 : (double) beta * c.get(at);
        c.put(at, (float) (old + alpha * dot(columnOrRow, right[j])));
      }
    }
  }

  @Override
  public void addGramUpper(int n, int m, FloatPointer x, FloatPointer g) {
    double[] sums = new double[n];
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      java.util.Arrays.fill(sums, 0);
      for (int t = 0; t < m; t++) {
        vector(true, x, n, t, row);
        double factor = row[i];
        for (int j = i; j < n; j++) {
          sums[j] += factor * row[j];
        }
      }
      for (int j = i; j < n; j++) {
        long at = (long) i * n + j;
        g.put(at, (float) (g.get(at) + sums[j]));
      }
    }
  }

  @Override
  public int choleskyLower(int n, FloatPointer a) {
    double[][] l = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a.get((long) i * n + j);
        for (int k = 0; k < j; k++) {
          sum -= l[i][k] * l[j][k];
        }
        if (i == j && !(sum > 0)) {
          return i + 1;
        }
        l[i][j] = i == j ? Math.sqrt(sum) : sum / l[j][j];
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        a.put((long) i * n + j, (float) l[i][j]);
      }
    }
    return 0;
  }

  @Override
  public void invertLower(int n, FloatPointer a) {
    double[][] inverse = new double[n][n];
    for (int column = 0; column < n; column++) {
      for (int i = column; i < n; i++) {
        double sum = i == column ? 1 : 0;
        for (int k = column; k < i; k++) {
          sum -= a.get((long) i * n + k) * inverse[k][column];
        }
        inverse[i][column] = sum / a.get((long) i * n + i);
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        a.put((long) i * n + j, (float) inverse[i][j]);
      }
    }
  }

  /** Row {@code index} where {@code contiguous}, else column {@code index}. */
  private static void vector(
      boolean contiguous, FloatPointer matrix, int stride, int index, float[] into) {
    if (contiguous) {
      matrix.position((long) index * stride).get(into, 0, into.length).position(0);
    } else {
      for (int i = 0; i < into.length; i++) {
        into[i] = matrix.get((long) i * stride + index);
      }
    }
  }

  private static double dot(float[] left, float[] right) {
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += (double) left[i] * right[i];
    }
    return sum;
  }
}
