package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.statistics.StoredStatistics;
import io.shardpress.operators.statistics.TileGrid;

/**
 * What GPTQ and SparseGPT allocate, for a weight of {@code r} rows and {@code n} columns, panels of
 * {@code R} rows (r rounded up to {@link Panel#ROWS}) and {@code g} groups a row, in bytes; see
 * {@link SolveMemory}.
 *
 * <ul>
 *   <li>shared: the factor 4n², and 4n² for the Gram where it is read whole
 *   <li>to prepare: the larger of the factorization's scratch, {@code 1024n·(1 + threads)}, and a
 *       tile of a Gram that is not read whole, 4·4096²
 *   <li>a slice, off-heap: the weight, 4rn, and 2rn more where it comes in BF16; beside it the
 *       larger of the panels, 4Rn, and, where the Gram is read whole, the energy's 2n² and {@code
 *       1024n·threads}
 *   <li>a slice, on the heap: codes rn and scales 4rg, twice where candidates compete; beside them
 *       the larger of what the sweep keeps, {@code R·(n + 8g)} and a bit for every weight that an
 *       earlier step may have pruned, and what threads fill panels with, {@code 576n} each
 * </ul>
 */
final class SweepMemory {
  private SweepMemory() {}

  static SolveMemory of(Gptq settings, long rows, long in, DType weightType, int threads) {
    long panels = (rows + Panel.ROWS - 1) / Panel.ROWS;
    return new SolveMemory(
        (StoredStatistics.isReadWhole(in) ? 2L : 1L) * Float.BYTES * in * in,
        Math.max(UpperFactor.scratchBytes(in, threads), tile(in)),
        nativeBytes(rows, in, panels, weightType, threads),
        heapBytes(settings, rows, in, panels, threads));
  }

  /**
   * Of a sweep that prunes: panels twice where weights stay unrounded, which are kept apart from
   * the errors; on the heap a block's mask, and the result.
   */
  static SolveMemory of(SparseGpt settings, long rows, long in, DType weightType, int threads) {
    long panels = (rows + Panel.ROWS - 1) / Panel.ROWS;
    boolean rounds = settings.bits().isPresent();
    long kept = rounds ? 0 : panels * Panel.ROWS * in * Float.BYTES;
    long groups = rounds ? settings.groupSize().groups(Math.toIntExact(in)) : 0;
    long result = rounds ? in + groups * Float.BYTES : weightType.bits() / 8 * in;
    long codes = rounds ? panels * Panel.ROWS * (in + 2 * groups * Float.BYTES) : 0;
    long masks = 2 * panels * Panel.ROWS * Math.min(in, settings.blockSize()) * Float.BYTES;
    long filling = Math.min(threads, panels) * PanelFiller.scratchBytes(in);
    return new SolveMemory(
        (StoredStatistics.isReadWhole(in) ? 2L : 1L) * Float.BYTES * in * in,
        Math.max(UpperFactor.scratchBytes(in, threads), tile(in)),
        nativeBytes(rows, in, panels, weightType, threads) + kept,
        rows * result + Math.max(codes + masks + ZeroMask.heapBytes(panels, in), filling));
  }

  /** Bytes of a tile of a Gram that is not read whole. */
  static long tile(long in) {
    long edge = StoredStatistics.isReadWhole(in) ? 0 : TileGrid.EDGE;
    return edge * edge * Float.BYTES;
  }

  private static long nativeBytes(long rows, long in, long panels, DType weightType, int threads) {
    long weight = (Float.BYTES + (weightType == DType.BF16 ? Short.BYTES : 0)) * rows * in;
    long sweep = panels * Panel.ROWS * in * Float.BYTES;
    long energy = StoredStatistics.isReadWhole(in) ? QuadraticForm.energyBytes(in, threads) : 0;
    return weight + Math.max(sweep, energy);
  }

  private static long heapBytes(Gptq settings, long rows, long in, long panels, int threads) {
    long groups = settings.groupSize().groups(Math.toIntExact(in));
    long attempts = settings.clip().candidates().size() > 1 ? 2 : 1;
    long results = attempts * rows * (in + groups * Float.BYTES);
    long sweep =
        panels * Panel.ROWS * (in + 2 * groups * Float.BYTES) + ZeroMask.heapBytes(panels, in);
    long filling = Math.min(threads, panels) * PanelFiller.scratchBytes(in);
    return results + Math.max(sweep, filling);
  }
}
