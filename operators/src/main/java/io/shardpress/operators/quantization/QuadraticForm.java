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
  private static final int BLOCK = 512;

  /** Rows of X in one part of the work. */
  private static final int ROWS = 512;

  private final INDArray gram;
  private final Optional<INDArray> rounded;

  QuadraticForm(INDArray gram) {
    this.gram = gram;
    this.rounded = Kernels.multiplyBf16() ? Optional.of(BFloats.rounded(gram)) : Optional.empty();
  }

  /** The layer energy {@code tr(W G Wᵀ)} of F32 or BF16 {@code weight [out, n]}. */
  double energy(INDArray weight) {
    return sum(
        Floats.rows(weight),
        (first, rows) -> {
          Block x = Block.rows(weight, first, rows);
          if (BFloats.isBf16(weight) == rounded.isPresent()) {
            return trace(x, x, rounded.orElse(gram));
          }
          if (rounded.isEmpty()) {
            try (INDArray wide = rows(weight, first, rows)) {
              return trace(Block.all(wide), Block.all(wide), gram);
            }
          }
          try (INDArray narrow = BFloats.uninitialized(rows, Floats.columns(weight))) {
            BFloats.round(x, Block.all(narrow));
            return trace(x, Block.all(narrow), rounded.get());
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
            return trace(Block.all(x), Block.all(x), gram);
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
   * @param x whole rows
   * @param operand the same, of the type of {@code g}
   */
  private static double trace(Block x, Block operand, INDArray g) {
    int n = x.columns();
    int rows = x.rows();
    float[] left = new float[rows * Math.min(BLOCK, n)];
    float[] twice = new float[left.length];
    float[] once = new float[left.length];
    double sum = 0;
    try (INDArray products = Floats.uninitialized(rows, Math.min(BLOCK, n))) {
      for (int from = 0; from < n; from += BLOCK) {
        int width = Math.min(BLOCK, n - from);
        Block into = new Block(products, 0, rows, 0, width);
        Products.timesTransposed(
            operand.part(from, n - from), new Block(g, from, width, from, n - from), into);
        Floats.readBlock(products, 0, rows, 0, width, twice);
        Products.timesTransposed(
            operand.part(from, width), new Block(g, from, width, from, width), into);
        Floats.readBlock(products, 0, rows, 0, width, once);
        Floats.readBlock(x.matrix(), x.firstRow(), rows, from, width, left);
        sum += dot(left, twice, once, rows * width);
      }
    }
    return sum;
  }

  /** {@code ⟨left, 2 · twice − once⟩} in four running sums. */
  private static double dot(float[] left, float[] twice, float[] once, int count) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      s0 += (double) left[i] * (2 * twice[i] - once[i]);
      s1 += (double) left[i + 1] * (2 * twice[i + 1] - once[i + 1]);
      s2 += (double) left[i + 2] * (2 * twice[i + 2] - once[i + 2]);
      s3 += (double) left[i + 3] * (2 * twice[i + 3] - once[i + 3]);
    }
    for (; i < count; i++) {
      s0 += (double) left[i] * (2 * twice[i] - once[i]);
    }
    return s0 + s1 + s2 + s3;
  }

  @Override
  public void close() {
    rounded.ifPresent(INDArray::close);
  }
}
