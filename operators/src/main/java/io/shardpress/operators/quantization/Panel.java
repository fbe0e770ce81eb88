package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some rows of a weight while a sweep works on them, columns in visiting order. Every panel has the
 * same number of rows, missing ones as zeros: products then have equal shapes wherever a layer was
 * cut, and equal bits for every row.
 *
 * <p>Columns before the current block are stale, the block's own are in {@link #block}, later ones
 * in {@link #weights}, current up to the block's start.
 */
final class Panel implements AutoCloseable {
  static final int ROWS = 256;

  private final int index;
  private final int firstRow;
  private final int rows;
  private final INDArray weights;
  private int blockStart;
  private int blockEnd;
  private float[] block = new float[0];

  /**
   * @param weights {@code [ROWS, n]}, owned by the panel
   * @param rows how many of its rows belong to the layer
   */
  Panel(int index, int rows, INDArray weights) {
    this.index = index;
    this.firstRow = index * ROWS;
    this.rows = rows;
    this.weights = weights;
  }

  int index() {
    return index;
  }

  /** The layer's row that row 0 of the panel is. */
  int firstRow() {
    return firstRow;
  }

  int rows() {
    return rows;
  }

  INDArray weights() {
    return weights;
  }

  /**
   * Fetches the columns {@code [from, to)}, each contiguous: element {@code (r, j)} at {@code (j −
   * from) · ROWS + r}.
   */
  float[] enter(int from, int to, float[] into) {
    int width = to - from;
    float[] rowMajor = new float[ROWS * width];
    Floats.readBlock(weights, 0, ROWS, from, width, rowMajor);
    transpose(rowMajor, ROWS, width, into);
    blockStart = from;
    blockEnd = to;
    block = into;
    return into;
  }

  /** Copies the current values of columns {@code [from, from + count)} of one row. */
  void read(int row, int from, int count, float[] into) {
    int inside = Math.min(count, blockEnd - from);
    for (int k = 0; k < inside; k++) {
      into[k] = block[(from - blockStart + k) * ROWS + row];
    }
    if (inside < count) {
      float[] rest = new float[count - inside];
      Floats.readBlock(weights, row, 1, from + inside, rest.length, rest);
      System.arraycopy(rest, 0, into, inside, rest.length);
    }
  }

  /** Writes {@code a [rows, columns]} as {@code [columns, rows]}, in tiles that fit the cache. */
  static void transpose(float[] a, int rows, int columns, float[] into) {
    int tile = 16;
    for (int firstRow = 0; firstRow < rows; firstRow += tile) {
      int lastRow = Math.min(rows, firstRow + tile);
      for (int j = 0; j < columns; j++) {
        for (int i = firstRow; i < lastRow; i++) {
          into[j * rows + i] = a[i * columns + j];
        }
      }
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
