package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Row loops over matrices: rows travel to the heap and back in bulk, a few thousand at a time. */
final class RowChunks {
  /** Floats per chunk: two chunks stay in a core's second-level cache. */
  private static final int CHUNK = 1 << 15;

  private RowChunks() {}

  /** A change of one row that starts at {@code from}. */
  interface RowEdit {
    void apply(float[] values, int from);
  }

  /** A change of a target row by a source row. */
  interface RowUpdate {
    void apply(float[] target, int fromTarget, float[] source, int fromSource);
  }

  /** Changes every row of {@code a} in place. */
  static void edit(INDArray a, RowEdit edit) {
    int columns = Floats.columns(a);
    int rows = Floats.rows(a);
    int step = step(columns, rows);
    float[] values = new float[step * columns];
    for (int first = 0; first < rows; first += step) {
      int count = Math.min(step, rows - first);
      Floats.readRows(a, first, count, values);
      for (int row = 0; row < count; row++) {
        edit.apply(values, row * columns);
      }
      Floats.writeRows(a, first, count, values);
    }
  }

  /** Changes every row of {@code target} in place by the same row of {@code source}. */
  static void update(INDArray target, INDArray source, RowUpdate update) {
    int columns = Floats.columns(target);
    int sourceColumns = Floats.columns(source);
    int rows = Floats.rows(target);
    int step = step(Math.max(columns, sourceColumns), rows);
    float[] values = new float[step * columns];
    float[] others = new float[step * sourceColumns];
    for (int first = 0; first < rows; first += step) {
      int count = Math.min(step, rows - first);
      Floats.readRows(target, first, count, values);
      Floats.readRows(source, first, count, others);
      for (int row = 0; row < count; row++) {
        update.apply(values, row * columns, others, row * sourceColumns);
      }
      Floats.writeRows(target, first, count, values);
    }
  }

  /** A new matrix, each row of it made from the same row of {@code source}. */
  static INDArray map(INDArray source, int columns, RowUpdate make) {
    INDArray result = Floats.uninitialized(Floats.rows(source), columns);
    update(result, source, make);
    return result;
  }

  /** Copies {@code count} rows of {@code source} to rows of {@code target}. */
  static void copyRows(INDArray source, int first, int count, INDArray target, int firstTarget) {
    int columns = Floats.columns(source);
    int step = step(columns, count);
    float[] values = new float[step * columns];
    for (int done = 0; done < count; done += step) {
      int rows = Math.min(step, count - done);
      Floats.readRows(source, first + done, rows, values);
      Floats.writeRows(target, firstTarget + done, rows, values);
    }
  }

  private static int step(int columns, int rows) {
    return Math.max(1, Math.min(rows, CHUNK / Math.max(1, columns)));
  }
}
