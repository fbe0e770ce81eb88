package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code tr(X G Xᵀ)}, F32 products summed in F64. Only the blocks of G on and above the diagonal
 * are multiplied: half of the plain product. The Gram is borrowed.
 */
final class QuadraticForm implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int PANEL_ELEMENTS = 1 << 23;

  private final INDArray gram;
  private final int panelRows;
  private final List<INDArray> diagonalBlocks = new ArrayList<>();

  QuadraticForm(INDArray gram) {
    this.gram = gram;
    int n = Floats.columns(gram);
    panelRows = Math.max(BLOCK, PANEL_ELEMENTS / n);
    for (int from = 0; from < n; from += BLOCK) {
      int width = Math.min(BLOCK, n - from);
      float[] values = new float[width * width];
      Floats.readBlock(gram, from, width, from, width, values);
      diagonalBlocks.add(Floats.of(values, width, width));
    }
  }

  /** The layer energy {@code tr(W G Wᵀ)} of {@code weight [out, n]}. */
  double energy(INDArray weight) {
    int n = Floats.columns(weight);
    double sum = 0;
    for (int first = 0; first < Floats.rows(weight); first += panelRows) {
      int rows = Math.min(panelRows, Floats.rows(weight) - first);
      float[] values = new float[rows * n];
      Floats.readRows(weight, first, rows, values);
      sum += trace(values, rows);
    }
    return sum;
  }

  /** The layer loss {@code tr(Δ G Δᵀ)} with {@code Δ = weight − quantized}. */
  double loss(INDArray weight, QuantizedWeight quantized) {
    int n = quantized.in();
    float[] rounded = new float[n];
    double sum = 0;
    for (int first = 0; first < quantized.out(); first += panelRows) {
      int rows = Math.min(panelRows, quantized.out() - first);
      float[] values = new float[rows * n];
      Floats.readRows(weight, first, rows, values);
      for (int i = 0; i < rows; i++) {
        quantized.dequantizeRow(first + i, rounded);
        for (int j = 0; j < n; j++) {
          values[i * n + j] -= rounded[j];
        }
      }
      sum += trace(values, rows);
    }
    return sum;
  }

  private double trace(float[] values, int rows) {
    int n = Floats.columns(gram);
    double sum = 0;
    try (INDArray x = Floats.of(values, rows, n);
        INDArray negatedUpper = Floats.zeros(rows, n)) {
      for (int b = 0; b < diagonalBlocks.size(); b++) {
        int from = b * BLOCK;
        int width = Math.min(BLOCK, n - from);
        float[] strip = new float[rows * width];
        Floats.readBlock(x, 0, rows, from, width, strip);
        try (INDArray block = Floats.of(strip, rows, width);
            INDArray own = Products.times(block, diagonalBlocks.get(b))) {
          sum += dot(block, own);
          Products.subtractTimesTrailing(negatedUpper, block, gram, from);
        }
      }
      return sum - 2 * dot(negatedUpper, x);
    }
  }

  private static double dot(INDArray a, INDArray b) {
    float[] left = new float[Floats.columns(a)];
    float[] right = new float[left.length];
    double sum = 0;
    for (int i = 0; i < Floats.rows(a); i++) {
      Floats.readRow(a, i, left);
      Floats.readRow(b, i, right);
      double row = 0;
      for (int j = 0; j < left.length; j++) {
        row += (double) left[j] * right[j];
      }
      sum += row;
    }
    return sum;
  }

  @Override
  public void close() {
    diagonalBlocks.forEach(INDArray::close);
  }
}
