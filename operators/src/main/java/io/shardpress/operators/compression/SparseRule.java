package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes the weights zero that a mask does not keep, leaves the others as they are, and remembers
 * what came out: a column of the panel gives its place to its errors.
 */
final class SparseRule implements ColumnRule, AutoCloseable {
  /** Rows that are turned together: whole cache lines of a column. */
  private static final int RUN = 16;

  private final Mask mask;

  /** {@code [n, ROWS]}, as the panel. */
  private final INDArray kept;

  SparseRule(Mask mask, int width) {
    this.mask = mask;
    this.kept = Floats.uninitialized(width, Panel.ROWS);
  }

  @Override
  public void choose(Panel panel, int column, float[][] strip, int index, float[] chosen) {
    Mask.apply(mask.column(column, strip, index), strip[index], chosen);
    Floats.writeRow(kept, column, chosen);
  }

  /** Puts the panel's rows, whose columns are in natural order, into the result. */
  void finish(Panel panel, DenseWeight result) {
    int n = result.in();
    float[] columns = new float[n * RUN];
    float[] row = new float[n];
    for (int first = 0; first < panel.rows(); first += RUN) {
      Floats.readBlock(kept, 0, n, first, RUN, columns);
      for (int r = first; r < Math.min(panel.rows(), first + RUN); r++) {
        for (int j = 0; j < n; j++) {
          row[j] = columns[j * RUN + r - first];
        }
        result.writeRow(panel.firstRow() + r, row);
      }
    }
  }

  @Override
  public void close() {
    kept.close();
  }
}
