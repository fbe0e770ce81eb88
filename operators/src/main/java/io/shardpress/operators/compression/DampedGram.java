package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.GramTile;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.FloatBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The matrix that is factored: a damped Gram, {@code H = G_π + λI}, in reversed visiting order. It
 * is filled from the Gram's tiles, each of which is read once: every row of a tile goes into one
 * row of H, and where the tile lies above the diagonal, every column too, for its mirror image.
 */
final class DampedGram {
  /** Rows, or columns, of a tile that one worker copies at a time. */
  private static final int PART = 256;

  /** Columns of a tile that are read together: whole cache lines. */
  private static final int RUN = 16;

  private final Gram gram;
  private final boolean[] dead;

  /** {@code [n]} the Gram's channel at each row of H, and the row of H of each channel. */
  private final int[] channelOf;

  private final int[] rowOf;

  /**
   * @param dead channels whose diagonal is set to 1
   */
  DampedGram(Gram gram, ColumnLayout layout, boolean[] dead) {
    this.gram = gram;
    this.dead = dead;
    int n = dead.length;
    channelOf = new int[n];
    rowOf = new int[n];
    for (int row = 0; row < n; row++) {
      channelOf[row] = layout.storedColumn(n - 1 - row);
      rowOf[channelOf[row]] = row;
    }
  }

  /**
   * Puts the lower triangle of H into {@code h [n, n]}.
   *
   * @return whether all of the Gram is finite
   */
  boolean fill(double lambda, INDArray h) {
    AtomicBoolean finite = new AtomicBoolean(true);
    for (Place place : gram.grid().places()) {
      try (GramTile tile = gram.tile(place)) {
        copyRows(tile, lambda, h, finite);
        if (!tile.onDiagonal()) {
          copyColumns(tile, h, finite);
        }
      }
    }
    return finite.get();
  }

  private void copyRows(GramTile tile, double lambda, INDArray h, AtomicBoolean finite) {
    int[] targets = rowsOfChannels(tile.firstColumn(), tile.columns());
    Workers.forEach(
        parts(tile.rows()),
        part -> {
          float[] values = new float[tile.columns()];
          float[] picked = new float[values.length];
          int end = Math.min(tile.rows(), (part + 1) * PART);
          for (int i = part * PART; i < end; i++) {
            Floats.readRow(tile.values(), i, values);
            int channel = tile.firstRow() + i;
            int row = rowOf[channel];
            int count = 0;
            float notANumber = 0;
            for (; count < targets.length && targets[count] <= row; count++) {
              picked[count] = values[channelOf[targets[count]] - tile.firstColumn()];
              notANumber += picked[count] * 0;
            }
            if (count > 0 && targets[count - 1] == row) { // on the diagonal
              float diagonal = picked[count - 1];
              picked[count - 1] = (float) ((dead[channel] ? 1 : (double) diagonal) + lambda);
            }
            write(picked, count, targets, row, h);
            if (notANumber != 0) { // NaN: zero times NaN or an infinity
              finite.set(false);
            }
          }
        });
  }

  private void copyColumns(GramTile tile, INDArray h, AtomicBoolean finite) {
    int[] targets = rowsOfChannels(tile.firstRow(), tile.rows());
    Workers.forEach(
        parts(tile.columns()),
        part -> {
          float[] values = new float[tile.rows() * RUN];
          float[] picked = new float[tile.rows()];
          int end = Math.min(tile.columns(), (part + 1) * PART);
          for (int first = part * PART; first < end; first += RUN) {
            int columns = Math.min(RUN, end - first);
            Floats.readBlock(tile.values(), 0, tile.rows(), first, columns, values);
            for (int j = 0; j < columns; j++) {
              int row = rowOf[tile.firstColumn() + first + j];
              int count = 0;
              float notANumber = 0;
              for (; count < targets.length && targets[count] < row; count++) {
                int i = channelOf[targets[count]] - tile.firstRow();
                picked[count] = values[i * columns + j];
                notANumber += picked[count] * 0;
              }
              write(picked, count, targets, row, h);
              if (notANumber != 0) {
                finite.set(false);
              }
            }
          }
        });
  }

  /** Puts values at the first of the target columns, ascending, of a row. */
  private static void write(float[] values, int count, int[] targets, int row, INDArray h) {
    if (count == 0) {
      return;
    }
    if (targets[count - 1] == count - 1) { // all columns up to there
      Floats.writeBlock(h, row, 1, 0, count, values);
      return;
    }
    FloatBuffer target = Floats.bytes(h, row, 1).asFloatBuffer();
    for (int t = 0; t < count; t++) {
      target.put(targets[t], values[t]);
    }
  }

  /** The rows of H that some neighbouring channels have, ascending. */
  private int[] rowsOfChannels(int first, int count) {
    int[] rows = new int[count];
    int found = 0;
    for (int row = 0; row < channelOf.length; row++) {
      if (channelOf[row] >= first && channelOf[row] < first + count) {
        rows[found++] = row;
      }
    }
    return rows;
  }

  private static int parts(int count) {
    return (count + PART - 1) / PART;
  }
}
