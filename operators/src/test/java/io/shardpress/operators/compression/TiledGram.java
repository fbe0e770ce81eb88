package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.GramTile;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.TileGrid;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A Gram that gives copies of its tiles alone, as one in a store does, and counts them. */
final class TiledGram implements Gram {
  private final INDArray whole;
  private final TileGrid grid;
  private int given;

  /**
   * @param whole borrowed
   */
  TiledGram(INDArray whole, int edge) {
    this.whole = whole;
    this.grid = new TileGrid(Floats.rows(whole), edge);
  }

  /** The same statistics with their Gram in tiles. */
  static InputStatistics of(InputStatistics statistics, int edge) {
    INDArray whole = statistics.gram().flatMap(Gram::matrix).orElseThrow();
    return new InputStatistics(
        statistics.input(),
        statistics.tokens(),
        statistics.sumAbs(),
        statistics.sumSquares(),
        statistics.maxAbs(),
        Optional.of(new TiledGram(whole, edge)));
  }

  int given() {
    return given;
  }

  @Override
  public int width() {
    return grid.width();
  }

  @Override
  public TileGrid grid() {
    return grid;
  }

  @Override
  public GramTile tile(Place place) {
    given++;
    int rows = grid.size(place.row());
    int columns = grid.size(place.column());
    int firstRow = grid.first(place.row());
    int firstColumn = grid.first(place.column());
    float[] values = new float[rows * columns];
    Floats.readBlock(whole, firstRow, rows, firstColumn, columns, values);
    INDArray copy = Floats.of(values, rows, columns);
    return new GramTile(firstRow, firstColumn, copy, Optional.of(copy));
  }

  @Override
  public float[] diagonal() {
    return Gram.diagonalOf(whole);
  }

  @Override
  public Optional<INDArray> matrix() {
    return Optional.empty();
  }

  @Override
  public void close() {
    // the matrix is borrowed
  }
}
