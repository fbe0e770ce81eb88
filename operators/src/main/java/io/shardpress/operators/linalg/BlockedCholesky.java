package io.shardpress.operators.linalg;

import io.shardpress.operators.linalg.MatrixKernels.Form;
import io.shardpress.operators.linalg.MatrixKernels.Update;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A = L Lᵀ and M = L⁻¹ in square blocks, nearly all of the work in products: left-looking, so that
 * every block is written once, after one long sum. With {@code D_k = L_kk⁻¹}, a block column of L
 * is {@code L_ik = (A_ik − Σ_{j<k} L_ij L_kjᵀ) D_kᵀ}, and a block column of M, which needs no other
 * one, is {@code M_ik = −D_i Σ_{k≤j<i} L_ij M_jk}. n³/3 operations each.
 *
 * <p>Both fit into the matrix of A: L is kept strictly below the diagonal and the D_k apart, so
 * that M, turned by the reversal of order into an upper triangle, finds its place above.
 */
final class BlockedCholesky implements AutoCloseable {
  private static final int BLOCK = 256;

  private final INDArray l;
  private final int n;
  private final int blocks;
  private final List<INDArray> inverses = new ArrayList<>();

  /**
   * Factors {@code a [n, n]}, of which it reads the lower triangle and overwrites it.
   *
   * @throws NotPositiveDefiniteException when a pivot is not positive
   */
  BlockedCholesky(INDArray a) {
    l = a;
    n = Floats.rows(a);
    blocks = (n + BLOCK - 1) / BLOCK;
    try {
      for (int k = 0; k < blocks; k++) {
        factorColumn(k);
      }
    } catch (NotPositiveDefiniteException e) {
      close();
      throw e;
    }
  }

  /** The block on the diagonal comes first: it is factored while others are summed. */
  private void factorColumn(int k) {
    Workers.forEach(
        blocks - k,
        tile -> {
          subtractColumnsBefore(k, k + tile);
          if (tile == 0) {
            inverses.add(invertedDiagonal(k));
          }
        });
    Workers.forEach(
        blocks - k - 1,
        tile -> {
          Block target = block(k + 1 + tile, k);
          try (INDArray remainder = copy(target)) {
            Products.multiply(
                Form.PLAIN,
                Block.all(remainder),
                Form.TRANSPOSED,
                Block.all(inverses.get(k)),
                Update.SET,
                target);
          }
        });
  }

  private void subtractColumnsBefore(int k, int i) {
    if (k > 0) {
      Products.multiply(
          Form.PLAIN, left(i, 0, k), Form.TRANSPOSED, left(k, 0, k), Update.SUBTRACT, block(i, k));
    }
  }

  private INDArray invertedDiagonal(int k) {
    INDArray inverse = copy(block(k, k));
    int failed = Kernels.chosen().choleskyLower(width(k), Floats.pointer(inverse));
    if (failed != 0) {
      inverse.close();
      throw new NotPositiveDefiniteException(first(k) + failed);
    }
    Kernels.chosen().invertLower(width(k), Floats.pointer(inverse));
    Triangles.clearUpper(inverse);
    return inverse;
  }

  /**
   * Puts {@code J L⁻¹ J}, with J the reversal of order, on and above the diagonal of the matrix
   * that was factored. Nothing that is read lies there.
   */
  void invertReversed() {
    Workers.forEach(blocks, this::invertColumn);
  }

  private void invertColumn(int k) {
    try (INDArray column = Floats.zeros(n - first(k), width(k));
        INDArray sums = Floats.uninitialized(BLOCK, width(k))) {
      Floats.writeRows(column, 0, width(k), Floats.toArray(inverses.get(k)));
      for (int i = k + 1; i < blocks; i++) {
        int above = first(i) - first(k);
        Block sum = Block.rows(sums, 0, width(i));
        Products.multiply(
            Form.PLAIN, left(i, k, i), Form.PLAIN, Block.rows(column, 0, above), Update.SET, sum);
        Products.multiply(
            Form.PLAIN,
            Block.all(inverses.get(i)),
            Form.PLAIN,
            sum,
            Update.SUBTRACT,
            Block.rows(column, above, width(i)));
      }
      Triangles.copyReversed(column, first(k), first(k), l);
    }
  }

  /** The D_k, and for every thread a block column of M while it is made. */
  static long scratchBytes(long n, int threads) {
    return (1 + threads) * n * BLOCK * Float.BYTES;
  }

  /** Block row {@code i}, block columns {@code [from, to)}. */
  private Block left(int i, int from, int to) {
    return new Block(l, first(i), width(i), first(from), first(to) - first(from));
  }

  private Block block(int i, int k) {
    return new Block(l, first(i), width(i), first(k), width(k));
  }

  private static INDArray copy(Block block) {
    float[] values = new float[block.rows() * block.columns()];
    Floats.read(block, values);
    return Floats.of(values, block.rows(), block.columns());
  }

  private int first(int k) {
    return Math.min(n, k * BLOCK);
  }

  private int width(int k) {
    return Math.min(BLOCK, n - first(k));
  }

  @Override
  public void close() {
    inverses.forEach(INDArray::close);
  }
}
