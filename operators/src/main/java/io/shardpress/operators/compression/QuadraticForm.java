package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.GramTile;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Arrays;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * {@code tr(X G Xᵀ)}, summed in F64, tile by tile of G, of which only what lies on and above the
 * diagonal is multiplied: half of the plain product. The energy that a loss is compared with is
 * multiplied in BF16 where that is faster, which leaves it three digits. The Gram is borrowed.
 */
final class QuadraticForm {
  private static final int LANES = 512;

  /** Rows of X in one part of the work. */
  private static final int ROWS = 512;

  private final Gram gram;

  QuadraticForm(Gram gram) {
    this.gram = gram;
  }

  /** The layer energy {@code tr(W G Wᵀ)} of F32 or BF16 {@code weight [out, n]}. */
  double energy(INDArray weight) {
    boolean bf16 = Kernels.multiplyBf16();
    return sum(
        Floats.rows(weight),
        tile -> bf16 ? UpperBlocks.rounded(tile) : UpperBlocks.of(tile),
        (first, count, from, columns) ->
            Part.borrowed(new Block(weight, first, count, from, columns)));
  }

  /** The layer loss {@code tr(Δ G Δᵀ)} with {@code Δ = weight − compressed}. */
  double loss(INDArray weight, CompressedWeight compressed) {
    return sum(
        compressed.out(),
        UpperBlocks::of,
        (first, count, from, columns) ->
            difference(new Block(weight, first, count, from, columns), compressed));
  }

  private static Part difference(Block weight, CompressedWeight compressed) {
    INDArray difference = Floats.uninitialized(weight.rows(), weight.columns());
    float[] dense = new float[weight.columns()];
    float[] approximate = new float[compressed.in()];
    for (int i = 0; i < weight.rows(); i++) {
      int row = weight.firstRow() + i;
      Floats.readBlock(weight.matrix(), row, 1, weight.firstColumn(), dense.length, dense);
      compressed.readRow(row, approximate);
      for (int j = 0; j < dense.length; j++) {
        dense[j] -= approximate[weight.firstColumn() + j];
      }
      Floats.writeRow(difference, i, dense);
    }
    return Part.owned(difference);
  }

  /**
   * Off-heap bytes of an energy of {@code n} columns from a Gram in memory: the Gram in BF16, and
   * for every thread some rows of the weight.
   */
  static long energyBytes(long n, int threads) {
    return Short.BYTES * n * (n + (long) threads * ROWS);
  }

  /** How a tile is multiplied. */
  private interface Preparation {
    UpperBlocks of(GramTile tile);
  }

  /** Gives some rows and columns of X. */
  private interface Source {
    Part part(int firstRow, int rows, int firstColumn, int columns);
  }

  /** Some rows and columns of X, or of X in another type. */
  private record Part(Block block, Optional<INDArray> owned) implements AutoCloseable {

    static Part borrowed(Block block) {
      return new Part(block, Optional.empty());
    }

    static Part owned(INDArray matrix) {
      return new Part(Block.all(matrix), Optional.of(matrix));
    }

    /** The same in the type that a tile is multiplied in. */
    Part operand(boolean bf16) {
      if (BFloats.isBf16(block.matrix()) == bf16) {
        return borrowed(block);
      }
      INDArray converted =
          bf16
              ? BFloats.uninitialized(block.rows(), block.columns())
              : Floats.uninitialized(block.rows(), block.columns());
      if (bf16) {
        BFloats.round(block, Block.all(converted));
      } else {
        BFloats.widen(block, Block.all(converted));
      }
      return owned(converted);
    }

    @Override
    public void close() {
      owned.ifPresent(INDArray::close);
    }
  }

  private double sum(int out, Preparation preparation, Source x) {
    double[] parts = new double[(out + ROWS - 1) / ROWS];
    for (Place place : gram.grid().places()) {
      try (GramTile tile = gram.tile(place);
          UpperBlocks blocks = preparation.of(tile)) {
        Workers.forEach(
            parts.length,
            index -> {
              int first = index * ROWS;
              parts[index] += trace(x, first, Math.min(ROWS, out - first), blocks);
            });
      }
    }
    return Arrays.stream(parts).sum();
  }

  /** What a tile, and its mirror image where it has one, adds for some rows of X. */
  private static double trace(Source x, int first, int rows, UpperBlocks g) {
    GramTile tile = g.tile();
    try (Part left = x.part(first, rows, tile.firstRow(), tile.rows());
        Part near = left.operand(g.bf16())) {
      if (tile.onDiagonal()) {
        return trace(left.block(), near.block(), near.block(), g);
      }
      try (Part right = x.part(first, rows, tile.firstColumn(), tile.columns());
          Part far = right.operand(g.bf16())) {
        return trace(left.block(), near.block(), far.block(), g);
      }
    }
  }

  /**
   * {@code 2 Σ_b ⟨x_b, x_{>b} G_{b,>b}ᵀ + x_b ½G_bb⟩}, b over the runs of a tile's rows; without
   * the half where the tile has no diagonal.
   *
   * @param x columns of X at the tile's rows
   * @param near the same as operand of products
   * @param far columns of X at the tile's columns, as operand
   */
  private static double trace(Block x, Block near, Block far, UpperBlocks g) {
    int rows = x.rows();
    int widest = Math.min(UpperBlocks.WIDTH, x.columns());
    float[] left = new float[rows * widest];
    float[] right = new float[left.length];
    double sum = 0;
    try (INDArray products = Floats.uninitialized(rows, widest)) {
      for (int run = 0; run < g.runs(); run++) {
        int from = run * UpperBlocks.WIDTH;
        int width = g.rows(run);
        Block into = new Block(products, 0, rows, 0, width);
        multiply(g, run, near.part(from, width), far, into);
        Floats.readBlock(products, 0, rows, 0, width, right);
        Floats.readBlock(x.matrix(), x.firstRow(), rows, x.firstColumn() + from, width, left);
        sum += dot(left, right, rows * width);
      }
    }
    return 2 * sum;
  }

  private static void multiply(UpperBlocks g, int run, Block near, Block far, Block into) {
    Block behind = g.behind(run);
    Block beside = far.part(g.firstBehind(run), behind.columns());
    Optional<Block> half = g.halfDiagonal(run);
    if (half.isEmpty()) {
      Products.timesTransposed(beside, behind, into);
      return;
    }
    Products.timesTransposed(near, half.get(), into);
    if (behind.columns() > 0) {
      Products.addTimesTransposed(beside, behind, into);
    }
  }

  /** Sums one by one in a lane each, which vectorizes where one sum would not. */
  private static double dot(float[] left, float[] right, int count) {
    float[] a = new float[LANES];
    float[] b = new float[LANES];
    double[] sums = new double[LANES];
    for (int done = 0; done < count; done += LANES) {
      int lanes = Math.min(LANES, count - done);
      System.arraycopy(left, done, a, 0, lanes);
      System.arraycopy(right, done, b, 0, lanes);
      for (int j = 0; j < lanes; j++) {
        sums[j] += (double) a[j] * b[j];
      }
    }
    return Arrays.stream(sums).sum();
  }
}
