package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.Workers;
import java.util.Arrays;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code tr(X G Xᵀ)}, summed in F64. Only the blocks of G on and above the diagonal are multiplied:
 * half of the plain product. The energy that a loss is compared with is multiplied in BF16 where
 * that is faster, which leaves it three digits. The Gram is borrowed.
 */
final class QuadraticForm implements AutoCloseable {
  /** Rows of G in one product. */
  private static final int BLOCK = 256;

  /** Rows of X in one part of the work. */
  private static final int ROWS = 512;

  private final INDArray gram;
  private final Optional<INDArray> rounded;

  QuadraticForm(INDArray gram) {
    this.gram = gram;
    this.rounded = Kernels.multiplyBf16() ? Optional.of(BFloats.rounded(gram)) : Optional.empty();
  }

  /** The layer energy {@code tr(W G Wᵀ)} of {@code weight [out, n]}. */
  double energy(INDArray weight) {
    return sum(
        Floats.rows(weight),
        (first, rows) -> {
          try (INDArray x = rows(weight, first, rows)) {
            if (rounded.isEmpty()) {
              return trace(x, x, gram);
            }
            try (INDArray narrow = BFloats.rounded(x)) {
              return trace(x, narrow, rounded.get());
            }
          }
        });
  }

  /** The layer loss {@code tr(Δ G Δᵀ)} with {@code Δ = weight − quantized}. */
  double loss(INDArray weight, QuantizedWeight quantized) {
    return sum(
        quantized.out(),
        (first, rows) -> {
          try (INDArray x = rows(weight, first, rows)) {
            float[] dense = new float[quantized.in()];
            float[] approximate = new float[quantized.in()];
            for (int i = 0; i < rows; i++) {
              Floats.readRow(x, i, dense);
              quantized.dequantizeRow(first + i, approximate);
              for (int j = 0; j < dense.length; j++) {
                dense[j] -= approximate[j];
              }
              Floats.writeRow(x, i, dense);
            }
            return trace(x, x, gram);
          }
        });
  }

  /** What some rows add to the sum. */
  private interface Rows {
    double trace(int first, int count);
  }

  private static double sum(int out, Rows part) {
    double[] parts = new double[(out + ROWS - 1) / ROWS];
    Workers.forEach(
        parts.length,
        index -> parts[index] = part.trace(index * ROWS, Math.min(ROWS, out - index * ROWS)));
    return Arrays.stream(parts).sum();
  }

  private static INDArray rows(INDArray weight, int first, int count) {
    float[] values = new float[count * Floats.columns(weight)];
    Floats.readRows(weight, first, count, values);
    return Floats.of(values, count, Floats.columns(weight));
  }

  /**
   * {@code Σ_b ⟨x_b, 2 x_{≥b} G_{b,≥b}ᵀ − x_b G_bb⟩}, b over blocks of columns.
   *
   * @param x F32 {@code [rows, n]}
   * @param operand the same, of the type of {@code g}
   */
  private static double trace(INDArray x, INDArray operand, INDArray g) {
    int n = Floats.columns(x);
    int rows = Floats.rows(x);
    double sum = 0;
    for (int from = 0; from < n; from += BLOCK) {
      int width = Math.min(BLOCK, n - from);
      try (INDArray all = Floats.uninitialized(rows, width);
          INDArray own = Floats.uninitialized(rows, width)) {
        Products.timesTransposed(
            new Block(operand, 0, rows, from, n - from),
            new Block(g, from, width, from, n - from),
            Block.all(all));
        Products.timesTransposed(
            new Block(operand, 0, rows, from, width),
            new Block(g, from, width, from, width),
            Block.all(own));
        sum += dot(x, from, all, own);
      }
    }
    return sum;
  }

  private static double dot(INDArray x, int from, INDArray all, INDArray own) {
    int width = Floats.columns(all);
    float[] left = new float[Floats.rows(x) * width];
    Floats.readBlock(x, 0, Floats.rows(x), from, width, left);
    float[] twice = Floats.toArray(all);
    float[] once = Floats.toArray(own);
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += (double) left[i] * (2 * twice[i] - once[i]);
    }
    return sum;
  }

  @Override
  public void close() {
    rounded.ifPresent(INDArray::close);
  }
}
