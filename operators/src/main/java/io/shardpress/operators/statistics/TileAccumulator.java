package io.shardpress.operators.statistics;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.DoubleSums;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.statistics.TileGrid.Place;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sums one tile of a Gram from the inputs themselves, for widths whose whole Gram nobody wants in
 * memory: {@code Σ X_Iᵀ X_J} over chunks of tokens, in the order given. As with partial Grams, a
 * chunk is summed in F32 and the chunks in F64, which become F32 at the end: the bits are those of
 * {@link StatisticsAccumulator} and {@link InputStatistics#fold} where the products' are. Memory is
 * the tile in F32 and in F64, and what a product of strips takes. Not thread-safe.
 */
public final class TileAccumulator implements AutoCloseable {
  private final String input;
  private final TileGrid grid;
  private final Place place;
  private final INDArray chunk;
  private final DoubleSums sums;
  private boolean chunkIsEmpty = true;
  private boolean handedOver;

  /**
   * @param input the shared-input id that errors name
   */
  public TileAccumulator(String input, TileGrid grid, Place place) {
    this.input = input;
    this.grid = grid;
    this.place = place;
    int rows = grid.size(place.row());
    int columns = grid.size(place.column());
    chunk = Floats.uninitialized(rows, columns);
    try {
      sums = new DoubleSums(rows, columns);
    } catch (RuntimeException | Error e) {
      chunk.close();
      throw e;
    }
  }

  /**
   * Adds tokens of the current chunk, all F32 or all BF16; nothing is kept or changed.
   *
   * @param left {@code [tokens, rows of the tile]}: the channels of its rows
   * @param right {@code [tokens, columns of the tile]}; for a tile on the diagonal it is {@code
   *     left}, and not looked at
   */
  public void observe(INDArray left, INDArray right) {
    requireOpen();
    if (Floats.rows(left) == 0) {
      return;
    }
    if (place.onDiagonal()) {
      if (chunkIsEmpty) {
        Products.gramUpper(chunk, left);
      } else {
        Products.addGramUpper(chunk, left);
      }
    } else if (chunkIsEmpty) {
      Products.crossGram(chunk, left, right);
    } else {
      Products.addCrossGram(chunk, left, right);
    }
    chunkIsEmpty = false;
  }

  /** Ends a chunk: its sum joins those before it. */
  public void endChunk() {
    requireOpen();
    if (!chunkIsEmpty) {
      sums.add(chunk);
      chunkIsEmpty = true;
    }
  }

  /**
   * The tile, F32 {@code [rows, columns]}, of one on the diagonal only the upper triangle. The
   * accumulator ends here, and the caller closes the tile.
   *
   * @throws io.shardpress.common.error.NumericalException when a sum leaves F32's range
   */
  public INDArray finish() {
    endChunk();
    sums.round(chunk);
    float[] row = new float[Floats.columns(chunk)];
    for (int i = 0; i < Floats.rows(chunk); i++) {
      int from = place.onDiagonal() ? i : 0;
      Floats.readBlock(chunk, i, 1, from, row.length - from, row);
      TileBytes.requireFinite(input, row, row.length - from, grid.first(place.row()) + i);
    }
    handedOver = true;
    sums.close();
    return chunk;
  }

  /**
   * Off-heap bytes of summing a tile from two strips of so many tokens at a time: the sums, the
   * strips, and what BF16 ones become for the product, transposed or, where that is not faster,
   * F32.
   *
   * @param strips the type of the strips, F32 or BF16
   */
  public static long nativeBytes(TileGrid grid, long tokens, DType strips) {
    long edge = grid.size(0);
    long perElement = strips == DType.BF16 ? Short.BYTES + Float.BYTES : Float.BYTES;
    return edge * edge * (Float.BYTES + Double.BYTES) + 2 * edge * tokens * perElement;
  }

  private void requireOpen() {
    if (handedOver) {
      throw new IllegalStateException(
          "Tile %d.%d of %s was handed over already".formatted(place.row(), place.column(), input));
    }
  }

  /** Frees the sums unless {@link #finish} handed them over. */
  @Override
  public void close() {
    if (!handedOver) {
      handedOver = true;
      chunk.close();
      sums.close();
    }
  }
}
