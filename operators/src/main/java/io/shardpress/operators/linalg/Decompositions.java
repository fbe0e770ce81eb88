package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.Floats.columns;
import static io.shardpress.operators.linalg.Floats.rows;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Eigenvalues and singular values, computed in F64. At most 46,340 rows or columns. */
public final class Decompositions {
  private Decompositions() {}

  /**
   * {@code A = Vᵀ diag(values) V}.
   *
   * @param values {@code [n]} descending
   * @param vectors F32 {@code [n, n]}, row i is the eigenvector of value i; owned by this record
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Eigen(double[] values, INDArray vectors) implements AutoCloseable {
    @Override
    public void close() {
      vectors.close();
    }
  }

  /**
   * {@code A = U diag(values) Vᵀ} with {@code k = min(m, n)}.
   *
   * @param u F32 {@code [m, k]}, owned by this record
   * @param values {@code [k]} descending, not negative
   * @param vt F32 {@code [k, n]}, owned by this record
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Svd(INDArray u, double[] values, INDArray vt) implements AutoCloseable {
    @Override
    public void close() {
      u.close();
      vt.close();
    }
  }

  /**
   * Of a symmetric {@code a [n, n]}, which stays unchanged.
   *
   * @throws io.shardpress.common.error.NumericalException when they cannot be found
   */
  public static Eigen symmetricEigen(INDArray a) {
    int n = rows(a);
    double[] vectors = doubles(a);
    double[] ascending = new double[n];
    Kernels.chosen().symmetricEigen(n, vectors, ascending);
    double[] values = new double[n];
    double[] reversed = new double[vectors.length];
    for (int i = 0; i < n; i++) {
      values[i] = ascending[n - 1 - i];
      System.arraycopy(vectors, (n - 1 - i) * n, reversed, i * n, n);
    }
    return new Eigen(values, floats(reversed, n, n));
  }

  /**
   * Of any {@code a [m, n]}, which stays unchanged.
   *
   * @throws io.shardpress.common.error.NumericalException when they cannot be found
   */
  public static Svd svd(INDArray a) {
    int m = rows(a);
    int n = columns(a);
    int k = Math.min(m, n);
    double[] u = new double[Math.multiplyExact(m, k)];
    double[] values = new double[k];
    double[] vt = new double[Math.multiplyExact(k, n)];
    Kernels.chosen().singularValues(m, n, doubles(a), u, values, vt);
    return new Svd(floats(u, m, k), values, floats(vt, k, n));
  }

  private static double[] doubles(INDArray a) {
    int columns = columns(a);
    double[] values = new double[Math.multiplyExact(rows(a), columns)];
    float[] row = new float[columns];
    for (int i = 0; i < rows(a); i++) {
      Floats.readRow(a, i, row);
      for (int j = 0; j < columns; j++) {
        values[i * columns + j] = row[j];
      }
    }
    return values;
  }

  private static INDArray floats(double[] values, int rows, int columns) {
    INDArray result = Floats.uninitialized(rows, columns);
    float[] row = new float[columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        row[j] = (float) values[i * columns + j];
      }
      Floats.writeRow(result, i, row);
    }
    return result;
  }
}
