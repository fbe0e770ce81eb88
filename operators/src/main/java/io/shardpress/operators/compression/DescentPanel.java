package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The rows of a panel in {@link CodeDescent}. The panel's columns are {@code Δ = W − Q}; of {@code
 * ΔG} there is one block of columns at a time. A block is swept by sweeping its first half,
 * correcting its second half in one product, and sweeping that; at the end of the halving are
 * strips of columns, which are arrays over the rows, and loops vectorize. Used by one thread.
 */
final class DescentPanel implements AutoCloseable {
  private static final int ROWS = Panel.ROWS;

  /** Columns of {@code ΔG} that are multiplied together. */
  static final int BLOCK = 256;

  private static final int STRIP = 32;

  /** Rows turned into columns together, and those read together. */
  private static final int TURNED = 128;

  private static final int RUN = 16;

  /**
   * What all panels of a layer share.
   *
   * @param roots {@code √G_jj}
   * @param codes {@code [out, n]} the result: a copy of those of {@code start}
   * @param gains {@code [out]} the result's
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Layer(
      INDArray dense,
      QuantizedWeight start,
      INDArray gram,
      float[] diagonal,
      float[] roots,
      byte[] codes,
      double[] gains) {}

  private final Layer layer;
  private final Panel panel;
  private final CodeColumns codes;

  /** {@code [BLOCK, ROWS]}: a block of {@code ΔG}, column by column. */
  private final INDArray slopes;

  /** {@code [BLOCK, ROWS]}: by how much Q changed in that block. */
  private final INDArray changes;

  private final float[][] slope = new float[STRIP][ROWS];
  private final float[][] change = new float[STRIP][ROWS];
  private final float[][] delta = new float[STRIP][ROWS];
  private final float[][] gramRows = new float[STRIP][STRIP];

  // By row: F32 inside a strip, F64 over the strips.
  private final float[] stripGains = new float[ROWS];
  private final float[] stripSquares = new float[ROWS];
  private final double[] squares = new double[ROWS];
  private final double[] gains = new double[ROWS];
  private final double[] noise = new double[ROWS];

  private DescentPanel(Layer layer, Panel panel, CodeColumns codes) {
    this.layer = layer;
    this.panel = panel;
    this.codes = codes;
    slopes = Floats.uninitialized(BLOCK, ROWS);
    changes = Floats.uninitialized(BLOCK, ROWS);
  }

  /** The panel of some rows of {@code layer}. */
  static DescentPanel of(Layer layer, int index, Zeros zeros) {
    int in = layer.start().in();
    int rows = Math.min(ROWS, layer.start().out() - index * ROWS);
    Panel panel = new Panel(index, rows, Floats.uninitialized(in, ROWS));
    fill(panel, layer);
    return new DescentPanel(layer, panel, CodeColumns.of(layer.start(), panel, zeros));
  }

  /** Heap bytes that filling a panel of {@code in} columns takes. */
  static long fillBytes(long in) {
    return Float.BYTES * in * (TURNED + RUN);
  }

  /** {@code W − Q}, turned; missing rows are zeros. */
  private static void fill(Panel panel, Layer layer) {
    int in = layer.start().in();
    float[] columns = new float[in * TURNED];
    float[] values = new float[RUN * in];
    float[] quantized = new float[in];
    for (int first = 0; first < ROWS; first += TURNED) {
      int rows = Math.max(0, Math.min(TURNED, panel.rows() - first));
      if (rows < TURNED) {
        Arrays.fill(columns, 0);
      }
      for (int run = 0; run < rows; run += RUN) {
        int count = Math.min(RUN, rows - run);
        int row = panel.firstRow() + first + run;
        Floats.readRows(layer.dense(), row, count, values);
        for (int i = 0; i < count; i++) {
          layer.start().readRow(row + i, quantized);
          for (int j = 0; j < in; j++) {
            values[i * in + j] -= quantized[j];
          }
        }
        for (int j = 0; j < in; j++) {
          for (int i = 0; i < count; i++) {
            columns[j * TURNED + run + i] = values[i * in + j];
          }
        }
      }
      panel.writeRows(first, TURNED, columns);
    }
  }

  /** Passes over all columns once; whether any code changed. */
  boolean sweep() {
    double[] reach = reach();
    Arrays.fill(squares, 0);
    int in = layer.start().in();
    for (int from = 0; from < in; from += BLOCK) {
      int count = Math.min(BLOCK, in - from);
      Products.times(
          Block.rows(layer.gram(), from, count),
          Block.all(panel.columns()),
          Block.rows(slopes, 0, count));
      range(from, from, from + count);
    }
    boolean changed = false;
    for (int r = 0; r < ROWS; r++) {
      noise[r] += squares[r] * reach[r] * reach[r];
      changed |= squares[r] > 0;
    }
    return changed;
  }

  /** {@code Σ |Δ_j| √G_jj} of each row. */
  private double[] reach() {
    double[] sums = new double[ROWS];
    float[] column = new float[ROWS];
    for (int j = 0; j < layer.roots().length; j++) {
      float root = layer.roots()[j];
      Floats.readRow(panel.columns(), j, column);
      for (int r = 0; r < ROWS; r++) {
        sums[r] += Math.abs(column[r]) * root;
      }
    }
    return sums;
  }

  /** Sweeps columns {@code [first, end)} of the block that begins at {@code block}. */
  private void range(int block, int first, int end) {
    if (end - first <= STRIP) {
      strip(block, first, end - first);
      return;
    }
    int middle = first + (end - first + 1) / 2 / STRIP * STRIP;
    middle = Math.max(middle, first + STRIP);
    range(block, first, middle);
    Products.subtractTransposedTimes(
        Block.rows(slopes, middle - block, end - middle),
        new Block(layer.gram(), first, middle - first, middle, end - middle),
        Block.rows(changes, first - block, middle - first));
    range(block, middle, end);
  }

  private void strip(int block, int first, int count) {
    for (int j = 0; j < count; j++) {
      Floats.readRow(slopes, first - block + j, slope[j]);
      Floats.readBlock(layer.gram(), first + j, 1, first, count, gramRows[j]);
    }
    panel.read(first, count, delta);
    Arrays.fill(stripGains, 0);
    Arrays.fill(stripSquares, 0);
    for (int j = 0; j < count; j++) {
      column(first + j, slope[j], change[j]);
      subtract(delta[j], 1, change[j]);
      for (int k = j + 1; k < count; k++) {
        subtract(slope[k], gramRows[j][k], change[j]);
      }
    }
    panel.write(first, count, delta);
    for (int j = 0; j < count; j++) {
      Floats.writeRow(changes, first - block + j, change[j]);
    }
    for (int r = 0; r < ROWS; r++) {
      gains[r] += stripGains[r];
      squares[r] += stripSquares[r];
    }
  }

  /** Changes the codes of a column, and notes by how much that lowers the loss of each row. */
  private void column(int column, float[] slope, float[] change) {
    float pivot = layer.diagonal()[column];
    if (!(pivot > 0)) {
      Arrays.fill(change, 0);
      return;
    }
    codes.choose(column, slope, pivot, change);
    for (int r = 0; r < change.length; r++) {
      stripGains[r] += change[r] * (2 * slope[r] - change[r] * pivot);
    }
    for (int r = 0; r < change.length; r++) {
      stripSquares[r] += change[r] * change[r] * pivot;
    }
  }

  private static void subtract(float[] column, float factor, float[] changes) {
    for (int r = 0; r < column.length; r++) {
      column[r] -= factor * changes[r];
    }
  }

  /** Puts the codes of the rows whose loss fell into the result. */
  void finish() {
    boolean[] improved = new boolean[ROWS];
    for (int row = 0; row < panel.rows(); row++) {
      improved[row] = RowGain.isCertain(gains[row], noise[row]);
      if (improved[row]) {
        layer.gains()[panel.firstRow() + row] = gains[row];
      }
    }
    codes.write(panel, improved, layer.codes());
  }

  @Override
  public void close() {
    panel.close();
    slopes.close();
    changes.close();
  }
}
