package io.shardpress.operators.linalg;

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
    FloatPointer p = Floats.pointer(a);
    float[] strip = new float[BLOCK];
    for (int firstRow = 0; firstRow < n; firstRow += BLOCK) {
      int lastRow = Math.min(n, firstRow + BLOCK);
      for (int column = firstRow; column < n; column++) {
        int count = Math.min(lastRow, column) - firstRow;
        for (int i = 0; i < count; i++) {
          strip[i] = p.get((long) (firstRow + i) * n + column);
        }
        p.position((long) column * n + firstRow).put(strip, 0, count);
        p.position(0);
      }
    }
  }

  /** {@code J a J}: rows and columns in reversed order, that is, all elements reversed. */
  static INDArray reversed(INDArray a) {
    int n = rows(a);
    INDArray result = Floats.uninitialized(n, n);
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      Floats.readRow(a, i, row);
      for (int left = 0, right = n - 1; left < right; left++, right--) {
        float swap = row[left];
        row[left] = row[right];
        row[right] = swap;
      }
      Floats.writeRow(result, n - 1L - i, row);
    }
    return result;
  }

  /** Zeroes what lies below the diagonal. */
  static void clearLower(INDArray a) {
    int n = rows(a);
    float[] zeros = new float[n];
    FloatPointer p = Floats.pointer(a);
    for (int i = 1; i < n; i++) {
      p.position((long) i * n).put(zeros, 0, i);
    }
  }
}
