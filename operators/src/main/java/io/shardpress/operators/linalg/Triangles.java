package io.shardpress.operators.linalg;

import static io.shardpress.operators.linalg.Floats.columns;
import static io.shardpress.operators.linalg.Floats.rows;

import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Moves of whole triangles inside square matrices, blocked so that both sides stay in cache. */
final class Triangles {
  private static final int BLOCK = 64;

  private Triangles() {}

  /** Copies the upper triangle of {@code a [n, n]} onto the lower one. */
  static void mirrorUpper(INDArray a) {
    int n = rows(a);
    Workers.forEach((n + BLOCK - 1) / BLOCK, strip -> mirrorRows(a, n, strip * BLOCK));
  }

  private static void mirrorRows(INDArray a, int n, int firstRow) {
    int rows = Math.min(BLOCK, n - firstRow);
    float[] block = new float[rows * BLOCK];
    float[] column = new float[rows];
    try (FloatPointer p = Floats.pointer(a)) {
      for (int firstColumn = firstRow; firstColumn < n; firstColumn += BLOCK) {
        int columns = Math.min(BLOCK, n - firstColumn);
        Floats.readBlock(a, firstRow, rows, firstColumn, columns, block);
        for (int j = 0; j < columns; j++) {
          int count = Math.min(rows, firstColumn + j - firstRow);
          for (int i = 0; i < count; i++) {
            column[i] = block[i * columns + j];
          }
          p.position((long) (firstColumn + j) * n + firstRow).put(column, 0, count);
        }
      }
    }
  }

  /** {@code J a J} in place: rows and columns in reversed order, that is, all elements reversed. */
  static void reverse(INDArray a) {
    int n = rows(a);
    Workers.forEach(
        (n + 1) / 2,
        row -> {
          float[] front = new float[n];
          float[] back = new float[n];
          Floats.readRow(a, row, front);
          Floats.readRow(a, n - 1L - row, back);
          reverse(front);
          reverse(back);
          Floats.writeRow(a, row, back);
          Floats.writeRow(a, n - 1L - row, front);
        });
  }

  /**
   * Puts a block that lies at {@code [row, column]} of a lower triangular matrix where it lies
   * after both orders of that matrix are reversed: on and above the diagonal. What the block holds
   * above the diagonal is left out.
   */
  static void copyReversed(INDArray block, int row, int column, INDArray into) {
    int n = rows(into);
    int columns = columns(block);
    float[] values = new float[columns];
    try (FloatPointer target = Floats.pointer(into)) {
      for (int i = 0; i < rows(block); i++) {
        Floats.readRow(block, i, values);
        reverse(values);
        int above = Math.max(0, column + columns - 1 - (row + i));
        long at = (n - 1L - row - i) * n + (n - column - columns);
        target.position(at + above).put(values, above, columns - above);
      }
    }
  }

  private static void reverse(float[] values) {
    for (int left = 0, right = values.length - 1; left < right; left++, right--) {
      float swap = values[left];
      values[left] = values[right];
      values[right] = swap;
    }
  }

  /** Zeroes what lies above the diagonal. */
  static void clearUpper(INDArray a) {
    int n = rows(a);
    float[] zeros = new float[n];
    try (FloatPointer p = Floats.pointer(a)) {
      for (int i = 0; i + 1 < n; i++) {
        p.position((long) i * n + i + 1).put(zeros, 0, n - 1 - i);
      }
    }
  }
}
