package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * SparseGPT for an input that no token reached: with the identity as its Gram nothing is fed
 * forward, and the cost of a weight is its square. The report tells of no statistics.
 */
record UnseenSolver(SparseGpt settings) implements Solver {

  @Override
  public LayerResult compress(LinearWeight weight) {
    int n = Floats.columns(weight.dense());
    try (InputStatistics identity = identity(n);
        Solver solver = settings.prepare(Optional.of(identity))) {
      LayerResult found = solver.compress(weight);
      return new LayerResult(found.outcome(), found.report().withoutStatistics(), found.weight());
    }
  }

  private static InputStatistics identity(int n) {
    INDArray gram = Floats.zeros(n, n);
    for (int i = 0; i < n; i++) {
      Floats.writeBlock(gram, i, 1, i, 1, new float[] {1});
    }
    return new InputStatistics(
        "an input without tokens",
        n,
        new double[n],
        new double[n],
        new float[n],
        Optional.of(Gram.of(gram)));
  }

  @Override
  public void close() {
    // nothing is held
  }
}
