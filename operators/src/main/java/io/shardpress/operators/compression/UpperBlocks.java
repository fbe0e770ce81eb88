package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.GramTile;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A tile of a symmetric matrix in runs of rows, as products of it want them: of a tile on the
 * diagonal, the blocks on and above the diagonal, those on it halved, which is exact: twice their
 * sum is the whole. F32, or rounded to BF16. The tile is borrowed; what is made of it is owned.
 */
final class UpperBlocks implements AutoCloseable {
  /** Rows of a run. */
  static final int WIDTH = 512;

  private final GramTile tile;
  private final Optional<INDArray> rounded;
  private final List<INDArray> halves = new ArrayList<>();

  private UpperBlocks(GramTile tile, Optional<INDArray> rounded) {
    this.tile = tile;
    this.rounded = rounded;
    if (tile.onDiagonal()) {
      for (int run = 0; run < runs(); run++) {
        halves.add(half(run));
      }
    }
  }

  static UpperBlocks of(GramTile tile) {
    return new UpperBlocks(tile, Optional.empty());
  }

  /** The tile rounded to BF16; of one on the diagonal only what lies above it. */
  static UpperBlocks rounded(GramTile tile) {
    INDArray rounded = BFloats.uninitialized(tile.rows(), tile.columns());
    Workers.forEach(
        (tile.rows() + WIDTH - 1) / WIDTH,
        run -> {
          int from = run * WIDTH;
          int rows = Math.min(WIDTH, tile.rows() - from);
          int behind = tile.onDiagonal() ? from : 0;
          int columns = tile.columns() - behind;
          BFloats.round(
              new Block(tile.values(), from, rows, behind, columns),
              new Block(rounded, from, rows, behind, columns));
        });
    return new UpperBlocks(tile, Optional.of(rounded));
  }

  private INDArray matrix() {
    return rounded.orElse(tile.values());
  }

  private INDArray half(int run) {
    int from = run * WIDTH;
    int width = rows(run);
    float[] values = new float[width * width];
    Floats.readBlock(matrix(), from, width, from, width, values);
    for (int i = 0; i < values.length; i++) {
      values[i] *= 0.5f;
    }
    INDArray half = Floats.of(values, width, width);
    if (rounded.isEmpty()) {
      return half;
    }
    try (half) {
      return BFloats.rounded(half);
    }
  }

  /** Whether the operands are BF16. */
  boolean bf16() {
    return rounded.isPresent();
  }

  GramTile tile() {
    return tile;
  }

  int runs() {
    return (tile.rows() + WIDTH - 1) / WIDTH;
  }

  /** Rows of a run. */
  int rows(int run) {
    return Math.min(WIDTH, tile.rows() - run * WIDTH);
  }

  /** Half of the diagonal's block in a run, where the tile is on the diagonal. */
  Optional<Block> halfDiagonal(int run) {
    return tile.onDiagonal() ? Optional.of(Block.all(halves.get(run))) : Optional.empty();
  }

  /** The first column of {@link #behind}. */
  int firstBehind(int run) {
    return tile.onDiagonal() ? run * WIDTH + rows(run) : 0;
  }

  /** The rest of a run: what lies behind the diagonal's block, or all of it; may be empty. */
  Block behind(int run) {
    int from = firstBehind(run);
    return new Block(matrix(), run * WIDTH, rows(run), from, tile.columns() - from);
  }

  @Override
  public void close() {
    halves.forEach(INDArray::close);
    rounded.ifPresent(INDArray::close);
  }
}
