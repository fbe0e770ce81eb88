package io.shardpress.operators.linalg;

import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums of F32 matrices of one shape, element by element in F64, in off-heap memory. Rows are spread
 * over the task's {@link Workers}; the order of the matrices is the order of the sum.
 */
public final class DoubleSums implements AutoCloseable {
  /** Rows that one worker adds at a time. */
  private static final int PART = 128;

  private final int rows;
  private final int columns;
  private final BytePointer memory;
  private boolean empty = true;

  /** Sums of nothing yet. */
  public DoubleSums(int rows, int columns) {
    this.rows = rows;
    this.columns = columns;
    this.memory = OffHeap.memory().take((long) rows * columns * Double.BYTES);
  }

  /** Adds F32 {@code values [rows, columns]}. */
  public void add(INDArray values) {
    boolean first = empty;
    forEachRow(
        values,
        (row, floats, doubles) -> {
          Floats.readRow(values, row, floats);
          DoublePointer sums = sums(row);
          if (first) {
            Arrays.fill(doubles, 0);
          } else {
            sums.get(doubles, 0, columns);
          }
          for (int j = 0; j < columns; j++) {
            doubles[j] += floats[j];
          }
          sums.put(doubles, 0, columns);
        });
    empty = false;
  }

  /** Writes the sums, rounded to F32, over {@code into [rows, columns]}; zeros if nothing came. */
  public void round(INDArray into) {
    boolean nothing = empty;
    forEachRow(
        into,
        (row, floats, doubles) -> {
          if (!nothing) {
            sums(row).get(doubles, 0, columns);
          }
          for (int j = 0; j < columns; j++) {
            floats[j] = nothing ? 0 : (float) doubles[j];
          }
          Floats.writeRow(into, row, floats);
        });
  }

  /** What is done to a row, with room for its values in both types. */
  private interface RowWork {
    void on(int row, float[] floats, double[] doubles);
  }

  private void forEachRow(INDArray matrix, RowWork work) {
    if (Floats.rows(matrix) != rows || Floats.columns(matrix) != columns) {
      throw new IllegalArgumentException(
          "[%d, %d] does not fit sums of [%d, %d]"
              .formatted(Floats.rows(matrix), Floats.columns(matrix), rows, columns));
    }
    Workers.forEach(
        (rows + PART - 1) / PART,
        part -> {
          float[] floats = new float[columns];
          double[] doubles = new double[columns];
          for (int row = part * PART; row < Math.min(rows, (part + 1) * PART); row++) {
            work.on(row, floats, doubles);
          }
        });
  }

  private DoublePointer sums(int row) {
    return new DoublePointer(memory).position((long) row * columns);
  }

  @Override
  public void close() {
    OffHeap.memory().giveBack(memory);
  }
}
