package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some rows of a weight while a sweep works on them, transposed: one row of {@code columns} for
 * every column of the weight, in visiting order, so that a column is a run of neighbouring floats.
 * Every panel holds the same number of the weight's rows, missing ones as zeros: products then have
 * equal shapes wherever a layer was cut, and equal bits for every row.
 *
 * <p>A column that was swept gives its place to its errors, which later columns are corrected by.
 *
 * @param index how many panels come before it
 * @param rows how many of the panel's rows belong to the layer
 * @param columns {@code [n, ROWS]}, owned by the panel
 */
record Panel(int index, int rows, INDArray columns) implements AutoCloseable {
  static final int ROWS = 1024;

  /** The layer's row that row 0 of the panel is. */
  int firstRow() {
    return index * ROWS;
  }

  /** Columns of the weight. */
  int width() {
    return Floats.rows(columns);
  }

  /** Copies columns {@code [from, from + count)} to {@code into [count][ROWS]}. */
  void read(int from, int count, float[][] into) {
    for (int j = 0; j < count; j++) {
      Floats.readRow(columns, from + j, into[j]);
    }
  }

  /** Puts {@code count} columns back. */
  void write(int from, int count, float[][] values) {
    for (int j = 0; j < count; j++) {
      Floats.writeRow(columns, from + j, values[j]);
    }
  }

  /** Fills rows {@code [first, first + count)} of every column from {@code values [n, count]}. */
  void writeRows(int first, int count, float[] values) {
    Floats.writeBlock(columns, 0, Floats.rows(columns), first, count, values);
  }

  @Override
  public void close() {
    columns.close();
  }
}
