package io.shardpress.operators.quantization;

import io.shardpress.common.tensor.DType;

/** What GPTQ allocates, written down beside the code that does; see {@link SolveMemory}. */
final class GptqMemory {
  /** Rows and columns of the factorization's blocks, whose inverses are kept while it runs. */
  private static final int FACTOR_BLOCK = 256;

  /** Rows that a thread turns into columns, and rows it reads for that. */
  private static final int TURNED_ROWS = 128 + 16;

  /** Widest input whose Gram is held in memory, and edge of the tiles of any other. */
  private static final long DENSE_WIDTH = 8192;

  private static final long TILE = 4096;

  private GptqMemory() {}

  /**
   * Shared: the factor, 4 in² bytes, and the Gram, as much again, where it is in memory. Preparing:
   * the inverses of the diagonal's blocks and a block column for every thread, or a tile of a
   * stored Gram. A slice: its weight, its weight in F32 where it comes in BF16, and the panels of
   * the sweep. Heap: codes of the sweep, of the result, and of the candidate that it competes with.
   */
  static SolveMemory of(Gptq settings, long rows, long in, DType weightType, int threads) {
    long square = Float.BYTES * in * in;
    boolean dense = in <= DENSE_WIDTH;
    long column = Float.BYTES * FACTOR_BLOCK * in;
    long factoring = column * (1 + threads);
    long filling = dense ? 0 : Float.BYTES * TILE * TILE;
    long panelRows = (rows + Panel.ROWS - 1) / Panel.ROWS * Panel.ROWS;
    long weight = (weightType == DType.BF16 ? 2 + Float.BYTES : Float.BYTES) * rows * in;
    long groups = settings.groupSize().groups(Math.toIntExact(in));
    long attempts = settings.clip().candidates().size() > 1 ? 2 : 1;
    long codes = panelRows * in + attempts * rows * in;
    long scales = Float.BYTES * groups * (2 * panelRows + attempts * rows);
    long scratch = Float.BYTES * TURNED_ROWS * in * Math.min(threads, panelRows / Panel.ROWS);
    return new SolveMemory(
        dense ? 2 * square : square,
        Math.max(factoring, filling),
        weight + Float.BYTES * panelRows * in,
        codes + scales + scratch);
  }
}
