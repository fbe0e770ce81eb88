package io.shardpress.operators.statistics;

import io.shardpress.operators.linalg.Floats;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A part of a Gram: a square on the diagonal with both its triangles, or a rectangle above it that
 * stands for its mirror image too.
 *
 * @param firstRow the Gram's row that row 0 of the tile is
 * @param firstColumn the same for columns; not below {@code firstRow}
 * @param values F32 {@code [rows, columns]}, not to be changed
 * @param owned what closing the tile frees: nothing where {@code values} is the Gram's own
 */
public record GramTile(int firstRow, int firstColumn, INDArray values, Optional<INDArray> owned)
    implements AutoCloseable {

  public int rows() {
    return Floats.rows(values);
  }

  public int columns() {
    return Floats.columns(values);
  }

  /** Whether the tile is a square on the diagonal. */
  public boolean onDiagonal() {
    return firstRow == firstColumn;
  }

  @Override
  public void close() {
    owned.ifPresent(INDArray::close);
  }
}
