package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Block;
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
    edit(Block.all(a), edit, a, 0);
  }

  /**
   * Puts the changed rows of {@code source}, whole F32 rows, into {@code into}, F32 or BF16.
   *
   * @param firstInto where the first of them goes
   */
  static void edit(Block source, RowEdit edit, INDArray into, int firstInto) {
    int columns = source.columns();
    int step = step(columns, source.rows());
    float[] values = new float[step * columns];
    try (RowWriter writer = new RowWriter(into, step)) {
      for (int done = 0; done < source.rows(); done += step) {
        int count = Math.min(step, source.rows() - done);
        Floats.readRows(source.matrix(), source.firstRow() + done, count, values);
        for (int row = 0; row < count; row++) {
          edit.apply(values, row * columns);
        }
        writer.write(firstInto + done, count, values);
      }
    }
  }

  /** Changes every row of {@code target} in place by the same row of {@code source}. */
  static void update(INDArray target, INDArray source, RowUpdate update) {
    update(target, source, update, target);
  }

  /** Puts the rows of {@code a}, changed by those of {@code b}, into {@code into}, F32 or BF16. */
  static void update(INDArray a, INDArray b, RowUpdate update, INDArray into) {
    int columns = Floats.columns(a);
    int columnsB = Floats.columns(b);
    int rows = Floats.rows(a);
    int step = step(Math.max(columns, columnsB), rows);
    float[] values = new float[step * columns];
    float[] others = new float[step * columnsB];
    try (RowWriter writer = new RowWriter(into, step)) {
      for (int first = 0; first < rows; first += step) {
        int count = Math.min(step, rows - first);
        Floats.readRows(a, first, count, values);
        Floats.readRows(b, first, count, others);
        for (int row = 0; row < count; row++) {
          update.apply(values, row * columns, others, row * columnsB);
        }
        writer.write(first, count, values);
      }
    }
  }

  /** Fills {@code into}, F32 or BF16, each row made from the same row of {@code source}. */
  static void map(INDArray source, RowUpdate make, INDArray into) {
    int columns = Floats.columns(into);
    int sourceColumns = Floats.columns(source);
    int rows = Floats.rows(source);
    int step = step(Math.max(columns, sourceColumns), rows);
    float[] values = new float[step * columns];
    float[] others = new float[step * sourceColumns];
    try (RowWriter writer = new RowWriter(into, step)) {
      for (int first = 0; first < rows; first += step) {
        int count = Math.min(step, rows - first);
        Floats.readRows(source, first, count, others);
        for (int row = 0; row < count; row++) {
          make.apply(values, row * columns, others, row * sourceColumns);
        }
        writer.write(first, count, values);
      }
    }
  }

  private static int step(int columns, int rows) {
    return Math.max(1, Math.min(rows, CHUNK / Math.max(1, columns)));
  }
}
