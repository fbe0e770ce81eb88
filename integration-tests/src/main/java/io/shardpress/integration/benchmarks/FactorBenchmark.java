package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.Gram;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** The factor of a Gram's inverse, on all cores together; the copy it consumes is not counted. */
public class FactorBenchmark extends Measured {
  @Param({"4096", "11008"})
  public int width;

  private INDArray gram;
  private INDArray consumed;

  @Override
  void prepare() {
    gram = Inputs.correlated(width).gram().flatMap(Gram::matrix).orElseThrow();
    float[] row = new float[width];
    for (int i = 0; i < width; i++) {
      Floats.readRow(gram, i, row);
      row[i] *= 1.1f;
      Floats.writeRow(gram, i, row);
    }
  }

  @Setup(Level.Invocation)
  public void copy() {
    if (consumed != null) {
      consumed.close();
    }
    consumed = Floats.copy(gram);
  }

  @Benchmark
  public void ofInverse(Beside beside) {
    beside.of(this);
    factor(Cores.count(), consumed);
  }

  @Override
  double secondsAlone() {
    try (INDArray copy = Floats.copy(gram)) {
      return Timer.seconds(0, () -> factor(1, copy));
    }
  }

  private static void factor(int threads, INDArray h) {
    Workers.on(threads, () -> UpperFactor.ofInverse(h)).close();
  }

  @Override
  Precision precision() {
    return Precision.F32;
  }

  @Override
  Work work() {
    return Work.factor(width);
  }

  @Override
  Work workAlone() {
    return Work.factor(width);
  }

  @Override
  void release() {
    consumed.close();
    gram.close();
  }
}
