package io.shardpress.operators.compression;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A pruned weight whose kept values were fitted to what the layer computes.
 *
 * @param weight F32 {@code [out, in]}, exact in the type it will be stored in; owned
 * @param before {@code [out]} layer loss {@code Δ G Δᵀ} of each row of the weight it was made of
 * @param gains {@code [out]} by how much that fell; 0 for a row that stayed
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RefittedWeight(INDArray weight, double[] before, double[] gains) implements AutoCloseable {

  /** {@code tr(Δ G Δᵀ)} of the weight it was made of. */
  double lossBefore() {
    return sum(before);
  }

  /** {@code tr(Δ G Δᵀ)} of this one. */
  double loss() {
    return Math.max(0, sum(before) - sum(gains));
  }

  /** Rows that changed. */
  int improvedRows() {
    int count = 0;
    for (double gain : gains) {
      count += gain > 0 ? 1 : 0;
    }
    return count;
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  @Override
  public void close() {
    weight.close();
  }
}
