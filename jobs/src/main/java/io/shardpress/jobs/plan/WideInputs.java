package io.shardpress.jobs.plan;

import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.TileGrid;

/**
 * Which inputs a chunk keeps as they are, instead of a partial Gram, until the tiles of their Grams
 * are summed from them. The rule looks at the data alone, so that it is one for all clusters.
 */
public final class WideInputs {
  /** Partial Gram that a task may hold for an input in any case, in bytes of both triangles. */
  private static final long LARGEST_PARTIAL = 1L << 30;

  private WideInputs() {}

  /**
   * Whether inputs of this width are kept: those whose Gram has several tiles and would be larger
   * than they are, or too large to be held.
   *
   * @param chunkTokens tokens of a chunk that is not the last
   */
  public static boolean areKept(long width, long chunkTokens) {
    return width > TileGrid.EDGE
        && (width > chunkTokens || width * width * Float.BYTES > LARGEST_PARTIAL);
  }

  /** Bytes that one chunk stores of an input of this width until all chunks are added. */
  public static long partialBytes(long width, long chunkTokens, Precision precision) {
    long element = precision == Precision.BF16 ? Short.BYTES : Float.BYTES;
    return areKept(width, chunkTokens)
        ? element * width * chunkTokens
        : width * (width + 1) / 2 * Float.BYTES;
  }
}
