package io.shardpress.operators.statistics;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code Σ x xᵀ} over the tokens of one input of n channels: symmetric, F32, and not always in
 * memory. Read tile by tile, so that an input of 53,248 channels needs no 10 GiB for it.
 */
public interface Gram extends AutoCloseable {

  /** Number of channels n. */
  int width();

  /** The tiles that {@link #tile} gives; a single one where the matrix is in memory. */
  TileGrid grid();

  /**
   * One tile, which the caller closes before this Gram.
   *
   * @throws io.shardpress.common.error.NumericalException when a stored value is not finite
   */
  GramTile tile(Place place);

  /** {@code Σ x²} of each channel, a fresh copy. */
  float[] diagonal();

  /** The whole {@code [n, n]}, both triangles, where it is in memory; borrowed. */
  Optional<INDArray> matrix();

  /** Frees what is in memory. */
  @Override
  void close();

  /** A Gram in memory, which takes {@code matrix [n, n]}, both triangles, over. */
  static Gram of(INDArray matrix) {
    return new DenseGram(matrix);
  }

  /** The diagonal of a square matrix. */
  static float[] diagonalOf(INDArray matrix) {
    float[] diagonal = new float[Floats.rows(matrix)];
    float[] element = new float[1];
    for (int i = 0; i < diagonal.length; i++) {
      Floats.readBlock(matrix, i, 1, i, 1, element);
      diagonal[i] = element[0];
    }
    return diagonal;
  }
}
