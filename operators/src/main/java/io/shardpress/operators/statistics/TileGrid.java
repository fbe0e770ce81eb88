package io.shardpress.operators.statistics;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * How a symmetric matrix {@code [width, width]} is cut into square tiles, of which those on and
 * above the diagonal are kept. The last row and column of tiles may be narrower.
 *
 * @param width rows and columns of the matrix
 * @param edge rows and columns of a tile
 */
public record TileGrid(int width, int edge) implements Serializable {
  /** The edge of stored tiles: 64 MiB of F32 each, large enough for fast products and reads. */
  public static final int EDGE = 4096;

  public TileGrid {
    if (width < 1 || edge < 1) {
      throw new IllegalArgumentException(
          "%d channels in tiles of %d: give at least one".formatted(width, edge));
    }
  }

  /** The tiles that a Gram of this width is stored as. */
  public static TileGrid of(int width) {
    return new TileGrid(width, EDGE);
  }

  /**
   * A tile on or above the diagonal.
   *
   * @param row index among the rows of tiles
   * @param column index among the columns of tiles, not below {@code row}
   */
  public record Place(int row, int column) implements Serializable {
    public Place {
      if (row < 0 || column < row) {
        throw new IllegalArgumentException(
            "Tile %d.%d lies below the diagonal".formatted(row, column));
      }
    }

    /** Whether the tile holds a part of the matrix's diagonal. */
    public boolean onDiagonal() {
      return row == column;
    }
  }

  /** Rows of tiles, and columns. */
  public int count() {
    return (width - 1) / edge + 1;
  }

  /** The tiles row by row. */
  public List<Place> places() {
    List<Place> places = new ArrayList<>();
    for (int row = 0; row < count(); row++) {
      for (int column = row; column < count(); column++) {
        places.add(new Place(row, column));
      }
    }
    return places;
  }

  /** The matrix's row, or column, that a row or column of tiles begins with. */
  public int first(int index) {
    return index * edge;
  }

  /** Rows, or columns, of a row or column of tiles. */
  public int size(int index) {
    return Math.min(edge, width - first(index));
  }
}
