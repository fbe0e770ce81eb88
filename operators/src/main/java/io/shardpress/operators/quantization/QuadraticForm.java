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
  private static final int LANES = 512;

  /** Rows of X in one part of the work. */
  private static final int ROWS = 512;

  private final INDArray gram;
  private final Optional<INDArray> rounded;
  private final UpperBlocks forEnergy;

  QuadraticForm(INDArray gram) {
    this.gram = gram;
    this.rounded = Kernels.multiplyBf16() ? Optional.of(BFloats.rounded(gram)) : Optional.empty();
    this.forEnergy = new UpperBlocks(rounded.orElse(gram));
  }

  /** The layer energy {@code tr(W G Wᵀ)} of F32 or BF16 {@code weight [out, n]}. */
  double energy(INDArray weight) {
    return sum(
        Floats.rows(weight),
        (first, rows) -> {
          Block x = Block.rows(weight, first, rows);
          if (BFloats.isBf16(weight) == rounded.isPresent()) {
            return trace(x, x, forEnergy);
          }
          if (rounded.isEmpty()) {
            try (INDArray wide = rows(weight, first, rows)) {
              return trace(Block.all(wide), Block.all(wide), forEnergy);
            }
          }
          try (INDArray narrow = BFloats.uninitialized(rows, Floats.columns(weight))) {
            BFloats.round(x, Block.all(narrow));
            return trace(x, Block.all(narrow), forEnergy);
          }
        });
  }

  /** The layer loss {@code tr(Δ G Δᵀ)} with {@code Δ = weight − quantized}. */
  double loss(INDArray weight, QuantizedWeight quantized) {
    try (UpperBlocks blocks = new UpperBlocks(gram)) {
      return loss(weight, quantized, blocks);
    }
  }

  private static double loss(INDArray weight, QuantizedWeight quantized, UpperBlocks blocks) {
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
            return trace(Block.all(x), Block.all(x), blocks);
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
   * {@code 2 Σ_b ⟨x_b, x_{>b} G_{b,>b}ᵀ + x_b ½G_bb⟩}, b over blocks of columns.
   *
   * @param x whole rows
   * @param operand the same, of the type of {@code g}
   */
  private static double trace(Block x, Block operand, UpperBlocks g) {
    int n = x.columns();
    int rows = x.rows();
    int widest = Math.min(UpperBlocks.WIDTH, n);
    float[] left = new float[rows * widest];
    float[] right = new float[left.length];
    double sum = 0;
    try (INDArray products = Floats.uninitialized(rows, widest)) {
      for (int from = 0; from < n; from += UpperBlocks.WIDTH) {
        int width = Math.min(UpperBlocks.WIDTH, n - from);
        int behind = n - from - width;
        Block into = new Block(products, 0, rows, 0, width);
        Products.timesTransposed(operand.part(from, width), g.halfDiagonal(from), into);
        if (behind > 0) {
          Products.addTimesTransposed(
              operand.part(from + width, behind), g.behindDiagonal(from), into);
        }
        Floats.readBlock(products, 0, rows, 0, width, right);
        Floats.readBlock(x.matrix(), x.firstRow(), rows, from, width, left);
        sum += dot(left, right, rows * width);
      }
    }
    return 2 * sum;
  }

  /** Sums one by one in a lane each, which vectorizes where one sum would not. */
  private static double dot(float[] left, float[] right, int count) {
    float[] a = new float[LANES];
    float[] b = new float[LANES];
    double[] sums = new double[LANES];
    for (int done = 0; done < count; done += LANES) {
      int lanes = Math.min(LANES, count - done);
      System.arraycopy(left, done, a, 0, lanes);
      System.arraycopy(right, done, b, 0, lanes);
      for (int j = 0; j < lanes; j++) {
        sums[j] += (double) a[j] * b[j];
      }
    }
    return Arrays.stream(sums).sum();
  }

  @Override
  public void close() {
    forEnergy.close();
    rounded.ifPresent(INDArray::close);
  }
}
