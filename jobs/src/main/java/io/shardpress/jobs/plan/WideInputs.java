package io.shardpress.jobs.plan;

import io.shardpress.operators.statistics.TileGrid;

/**
 * Which inputs are so wide that they are kept as they are until the tiles of their Grams are summed
 * from them: a chunk's partial Gram would be larger.
 */
public final class WideInputs {
  /** Gram that a task may hold for an input, in bytes; beyond it, inputs are kept in any case. */
  private static final long LARGEST_PARTIAL = 1L << 30;

  private WideInputs() {}

  /**
   * Whether inputs of this width are kept; the same for all chunks of a run.
   *
   * @param chunkTokens tokens of a chunk that is not the last
   */
  public static boolean areKept(long width, long chunkTokens) {
    return width > TileGrid.EDGE
        && (width > chunkTokens || width * width * Float.BYTES > LARGEST_PARTIAL);
  }
}
