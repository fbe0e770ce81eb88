package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The blocks on and above the diagonal of a symmetric matrix, those on it halved, which is exact:
 * twice their sum is the whole. The matrix, F32 or BF16, is borrowed; the halves are owned.
 */
final class UpperBlocks implements AutoCloseable {
  /** Rows and columns of a block on the diagonal. */
  static final int WIDTH = 512;

  private final INDArray matrix;
  private final List<INDArray> halves = new ArrayList<>();

  UpperBlocks(INDArray matrix) {
    this.matrix = matrix;
    int n = Floats.columns(matrix);
    for (int from = 0; from < n; from += WIDTH) {
      halves.add(half(from, Math.min(WIDTH, n - from)));
    }
  }

  private INDArray half(int from, int width) {
    float[] values = new float[width * width];
    Floats.readBlock(matrix, from, width, from, width, values);
    for (int i = 0; i < values.length; i++) {
      values[i] *= 0.5f;
    }
    INDArray half = Floats.of(values, width, width);
    if (!BFloats.isBf16(matrix)) {
      return half;
    }
    try (half) {
      return BFloats.rounded(half);
    }
  }

  /** Half of the diagonal's block that starts at {@code from}. */
  Block halfDiagonal(int from) {
    return Block.all(halves.get(from / WIDTH));
  }

  /** What lies beside that block, behind the diagonal; there must be something. */
  Block behindDiagonal(int from) {
    int behind = from + WIDTH;
    return new Block(matrix, from, WIDTH, behind, Floats.columns(matrix) - behind);
  }

  @Override
  public void close() {
    halves.forEach(INDArray::close);
  }
}
