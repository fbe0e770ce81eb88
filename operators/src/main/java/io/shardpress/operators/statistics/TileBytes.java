package io.shardpress.operators.statistics;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Tiles of a Gram as bytes: F32, row by row; of a tile on the diagonal only the rows' parts from
 * the diagonal on.
 */
final class TileBytes {
  /** Bytes that are read at a time, and held in memory beside the tile. */
  private static final long READ_BYTES = 16 << 20;

  /** Bytes that are handed out at a time. */
  private static final int WRITE_BYTES = 1 << 20;

  private TileBytes() {}

  /**
   * Reads a tile into {@code into}, from {@code [atRow, atColumn]} on. The lower triangle of one on
   * the diagonal stays as it is. As many rows at a time as fit a piece: storage answers a few large
   * reads soonest.
   *
   * @throws io.shardpress.common.error.NumericalException when a value is not finite
   */
  static void read(
      String input,
      TileGrid grid,
      Place place,
      TensorSource tensor,
      INDArray into,
      int atRow,
      int atColumn) {
    int columns = grid.size(place.column());
    float[] row = new float[columns];
    ByteBuffer piece =
        buffer(Math.max((long) columns * Float.BYTES, Math.min(READ_BYTES, tensor.spec().bytes())));
    piece.limit(0);
    long next = 0;
    for (int i = 0; i < grid.size(place.row()); i++) {
      int skipped = place.onDiagonal() ? i : 0;
      int count = columns - skipped;
      if (piece.remaining() < count * Float.BYTES) {
        next -= piece.remaining();
        piece.clear().limit((int) Math.min(piece.capacity(), tensor.spec().bytes() - next));
        tensor.read(next, piece);
        next += piece.flip().remaining();
      }
      FloatCodec.decode(DType.F32, piece, row, 0, count);
      requireFinite(input, row, count, grid.first(place.row()) + i);
      Floats.writeBlock(into, atRow + i, 1, atColumn + skipped, count, row);
    }
  }

  /** The gate of every Gram that comes from a store or goes to one. */
  static void requireFinite(String input, float[] row, int count, int gramRow) {
    for (int j = 0; j < count; j++) {
      if (!Float.isFinite(row[j])) {
        throw InputStatistics.nonFinite(input, "Gram row " + gramRow);
      }
    }
  }

  /**
   * Hands out the bytes of the tile that lies at {@code [atRow, atColumn]} of {@code from}; each
   * part is a call to storage.
   */
  static void write(
      TileGrid grid,
      Place place,
      INDArray from,
      int atRow,
      int atColumn,
      Consumer<ByteBuffer> parts) {
    int rows = grid.size(place.row());
    int columns = grid.size(place.column());
    float[] row = new float[columns];
    long whole = elements(grid, place) * Float.BYTES;
    ByteBuffer piece = buffer(Math.max((long) columns * Float.BYTES, Math.min(WRITE_BYTES, whole)));
    for (int i = 0; i < rows; i++) {
      int skipped = place.onDiagonal() ? i : 0;
      int count = columns - skipped;
      if (piece.remaining() < count * Float.BYTES) {
        parts.accept(piece.flip());
        piece.clear();
      }
      Floats.readBlock(from, atRow + i, 1, atColumn + skipped, count, row);
      FloatCodec.encode(DType.F32, row, 0, count, piece);
    }
    parts.accept(piece.flip());
  }

  /** Elements that are stored of a tile. */
  static long elements(TileGrid grid, Place place) {
    long rows = grid.size(place.row());
    return place.onDiagonal() ? rows * (rows + 1) / 2 : rows * grid.size(place.column());
  }

  static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
