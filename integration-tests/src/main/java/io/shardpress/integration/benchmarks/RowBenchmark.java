package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.Precision;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * The kernels that move more than they compute, on one core, over {@code [2048, 4096]} (square for
 * {@code MIRROR}). Counted are the bytes read and written.
 */
public class RowBenchmark extends Measured {
  private static final int ROWS = 2048;
  private static final int COLUMNS = 4096;
  private static final double ELEMENTS = (double) ROWS * COLUMNS;

  /** What is done. */
  public enum Kernel {
    RMS_NORM,
    SILU,
    SOFTMAX,
    ROUND,
    WIDEN,
    TRANSPOSE,
    MIRROR
  }

  @Param public Kernel kernel;

  private final float[] row = new float[COLUMNS];
  private final float[] ones = new float[COLUMNS];
  private INDArray floats;
  private INDArray bfloats;
  private INDArray square;

  @Override
  void prepare() {
    Arrays.fill(ones, 1);
    floats = Matrices.normal(Precision.F32, ROWS, COLUMNS, 1);
    bfloats = Matrices.normal(Precision.BF16, ROWS, COLUMNS, 1);
    square = Matrices.normal(Precision.F32, COLUMNS, COLUMNS, 1);
  }

  @Benchmark
  public void rows(Beside beside) {
    beside.of(this);
    switch (kernel) {
      case RMS_NORM -> eachRow(() -> RowLoops.rmsNorm(row, 0, ones, 1e-5));
      case SILU -> eachRow(() -> RowLoops.silu(row, 0, COLUMNS));
      case SOFTMAX -> eachRow(() -> RowLoops.softmax(row, 0, COLUMNS));
      case ROUND -> BFloats.rounded(floats).close();
      case WIDEN -> BFloats.widened(bfloats).close();
      case TRANSPOSE -> Floats.transpose(floats).close();
      case MIRROR -> Products.mirrorUpper(square);
    }
  }

  private void eachRow(Runnable change) {
    for (int i = 0; i < ROWS; i++) {
      Floats.readRow(floats, i, row);
      change.run();
    }
  }

  @Override
  Precision precision() {
    return Precision.F32;
  }

  @Override
  Work work() {
    return Work.bytes(
        switch (kernel) {
          case RMS_NORM, SILU, SOFTMAX, TRANSPOSE -> 8 * ELEMENTS;
          case ROUND, WIDEN -> 6 * ELEMENTS;
          case MIRROR -> 4.0 * COLUMNS * COLUMNS;
        });
  }

  @Override
  void release() {
    floats.close();
    bfloats.close();
    square.close();
  }
}
