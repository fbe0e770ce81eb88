package io.shardpress.operators.statistics;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A Gram in memory: one tile, which is the matrix itself. */
record DenseGram(INDArray whole) implements Gram {
  DenseGram {
    if (Floats.rows(whole) != Floats.columns(whole)) {
      throw new IllegalArgumentException(
          "A Gram of [%d, %d] is not square".formatted(Floats.rows(whole), Floats.columns(whole)));
    }
  }

  @Override
  public int width() {
    return Floats.columns(whole);
  }

  @Override
  public TileGrid grid() {
    return new TileGrid(width(), width());
  }

  @Override
  public GramTile tile(Place place) {
    return new GramTile(0, 0, whole, Optional.empty());
  }

  @Override
  public float[] diagonal() {
    return Gram.diagonalOf(whole);
  }

  @Override
  public Optional<INDArray> matrix() {
    return Optional.of(whole);
  }

  @Override
  public void close() {
    whole.close();
  }
}
