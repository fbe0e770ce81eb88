package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some rows of a weight while a sweep works on them, columns in visiting order. Every panel has the
 * same number of rows, missing ones as zeros: products then have equal shapes wherever a layer was
 * cut, and equal bits for every row.
 *
 * <p>Columns before the current block are stale, the block's own are with {@link #enter}'s caller,
 * later ones in {@link #weights}, current up to the block's start.
 */
final class Panel implements AutoCloseable {
  static final int ROWS = 512;

  private final int index;
  private final int rows;
  private final INDArray weights;
  private int blockStart;
  private float[][] block = new float[0][];

  /**
   * @param rows how many of the panel's rows belong to the layer
   * @param weights {@code [ROWS, n]}, owned by the panel
   */
  Panel(int index, int rows, INDArray weights) {
    this.index = index;
    this.rows = rows;
    this.weights = weights;
  }

  int index() {
    return index;
  }

  /** The layer's row that row 0 of the panel is. */
  int firstRow() {
    return index * ROWS;
  }

  int rows() {
    return rows;
  }

  INDArray weights() {
    return weights;
  }

  /** Fetches the block of columns that starts at {@code from} into {@code columns[j][row]}. */
  void enter(int from, float[][] columns) {
    float[] rowMajor = new float[ROWS * columns.length];
    Floats.readBlock(weights, 0, ROWS, from, columns.length, rowMajor);
    for (int firstRow = 0; firstRow < ROWS; firstRow += 16) { // keeps 16 rows in the cache
      for (int j = 0; j < columns.length; j++) {
        for (int i = firstRow; i < firstRow + 16; i++) {
          columns[j][i] = rowMajor[i * columns.length + j];
        }
      }
    }
    blockStart = from;
    block = columns;
  }

  /** Copies the current values of columns {@code [from, from + count)} of one row. */
  void read(int row, int from, int count, float[] into) {
    int inside = Math.min(count, blockStart + block.length - from);
    for (int k = 0; k < inside; k++) {
      into[k] = block[from - blockStart + k][row];
    }
    if (inside < count) {
      float[] rest = new float[count - inside];
      Floats.readBlock(weights, row, 1, from + inside, rest.length, rest);
      System.arraycopy(rest, 0, into, inside, rest.length);
    }
  }

  /** {@code columns[j][row]} row-major. */
  static void toRowMajor(float[][] columns, float[] into) {
    for (int firstRow = 0; firstRow < ROWS; firstRow += 16) {
      for (int j = 0; j < columns.length; j++) {
        for (int i = firstRow; i < firstRow + 16; i++) {
          into[i * columns.length + j] = columns[j][i];
        }
      }
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
