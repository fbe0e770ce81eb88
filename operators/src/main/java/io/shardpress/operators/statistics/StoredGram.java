package io.shardpress.operators.statistics;

import io.shardpress.common.tensor.TensorSource;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A Gram whose tiles stay where they are stored until they are asked for, each time anew.
 *
 * @param tiles every tile of the grid, of the right type and shape
 */
record StoredGram(String input, TileGrid grid, Map<Place, ? extends TensorSource> tiles)
    implements Gram {

  @Override
  public int width() {
    return grid.width();
  }

  @Override
  public GramTile tile(Place place) {
    INDArray values = Floats.uninitialized(grid.size(place.row()), grid.size(place.column()));
    try {
      TileBytes.read(input, grid, place, tiles.get(place), values, 0, 0);
      if (place.onDiagonal()) {
        Products.mirrorUpper(values);
      }
    } catch (RuntimeException | Error e) {
      values.close();
      throw e;
    }
    return new GramTile(
        grid.first(place.row()), grid.first(place.column()), values, Optional.of(values));
  }

  @Override
  public float[] diagonal() {
    float[] diagonal = new float[width()];
    for (int i = 0; i < grid.count(); i++) {
      try (GramTile tile = tile(new Place(i, i))) {
        System.arraycopy(Gram.diagonalOf(tile.values()), 0, diagonal, tile.firstRow(), tile.rows());
      }
    }
    return diagonal;
  }

  @Override
  public Optional<INDArray> matrix() {
    return Optional.empty();
  }

  @Override
  public void close() {
    // nothing is held: every tile is its reader's
  }
}
