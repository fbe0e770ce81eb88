package io.shardpress.operators.linalg;

import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Some neighbouring rows and columns of a whole matrix: what a kernel reads or writes. */
public record Block(INDArray matrix, int firstRow, int rows, int firstColumn, int columns) {

  public Block {
    if (firstRow < 0
        || rows < 0
        || firstRow + rows > Floats.rows(matrix)
        || firstColumn < 0
        || columns < 0
        || firstColumn + columns > Floats.columns(matrix)) {
      throw new IndexOutOfBoundsException(
          "Rows %d to %d, columns %d to %d of a matrix [%d, %d]"
              .formatted(
                  firstRow,
                  firstRow + rows,
                  firstColumn,
                  firstColumn + columns,
                  Floats.rows(matrix),
                  Floats.columns(matrix)));
    }
  }

  public static Block all(INDArray matrix) {
    return new Block(matrix, 0, Floats.rows(matrix), 0, Floats.columns(matrix));
  }

  /** Whole rows. */
  public static Block rows(INDArray matrix, int firstRow, int rows) {
    return new Block(matrix, firstRow, rows, 0, Floats.columns(matrix));
  }

  /** Whole columns. */
  public static Block columns(INDArray matrix, int firstColumn, int columns) {
    return new Block(matrix, 0, Floats.rows(matrix), firstColumn, columns);
  }

  /** One row of this block. */
  Block row(int index) {
    return new Block(matrix, firstRow + index, 1, firstColumn, columns);
  }

  /** Some columns of this block, counted from its first. */
  public Block part(int from, int count) {
    return new Block(matrix, firstRow, rows, firstColumn + from, count);
  }

  /** For messages. */
  String type() {
    return BFloats.isBf16(matrix) ? "BF16" : "F32";
  }

  boolean isEmpty() {
    return rows == 0 || columns == 0;
  }

  /** Elements from one row to the next. */
  int stride() {
    return Floats.columns(matrix);
  }

  /** A fresh pointer whose address is the block's first element. */
  Pointer pointer() {
    long offset = (long) firstRow * stride() + firstColumn;
    return BFloats.isBf16(matrix)
        ? BFloats.pointer(matrix).getPointer(offset)
        : Floats.pointer(matrix).getPointer(offset);
  }
}
