package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.TileGrid;
import java.util.Optional;

/**
 * Settings of the refit: what an earlier step left comes nearer to the dense weight, as the Gram of
 * the inputs says, and no row's layer loss rises. Of a pruned weight the mask stays, and the others
 * are solved for by conjugate gradients ({@link MaskedRefit}); of a quantized one the scales stay,
 * and codes descend coordinate by coordinate ({@link CodeDescent}), zeros of a pruned one excepted.
 *
 * @param iterations {@code iterations}: the most steps of conjugate gradients
 * @param tolerance {@code tolerance}: a row is done when its residual has fallen to this share
 * @param damping {@code damping}: added to the Gram's diagonal, as a share of its mean
 * @param sweeps {@code sweeps}: the most passes over all columns of a quantized weight
 */
public record Refit(int iterations, double tolerance, double damping, int sweeps)
    implements Settings {

  /** With the default values. */
  public static final Refit DEFAULT = new Refit(30, 1e-4, 0.001, 3);

  public Refit {
    if (iterations < 1 || iterations > 1000) {
      throw new InputException("iterations = %d: give 1 to 1000 steps.".formatted(iterations));
    }
    if (!(tolerance >= 0 && tolerance < 1)) {
      throw new InputException(
          "tolerance = %s: give a share from 0 up to, not including, 1.".formatted(tolerance));
    }
    if (!(damping >= 0 && damping <= 1)) {
      throw new InputException(
          "damping = %s: give a share of the mean diagonal from 0 to 1.".formatted(damping));
    }
    if (sweeps < 1 || sweeps > 100) {
      throw new InputException("sweeps = %d: give 1 to 100 passes.".formatted(sweeps));
    }
  }

  @Override
  public Role role() {
    return Role.REFINE;
  }

  @Override
  public Storage storage(Storage before) {
    return before;
  }

  @Override
  public String describe(Storage before) {
    return before instanceof Scheme
        ? "codes move to neighbouring values where that brings the outputs nearer to the dense weight's, in up to %d sweeps; scales stay"
            .formatted(sweeps)
        : "the weights that are not zero are solved for anew, so that the outputs come nearer to the dense weight's, in up to %d steps"
            .formatted(iterations);
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.GRAM;
  }

  /** Without statistics the weight stays as it is. */
  @Override
  public Refit withoutStatistics() {
    return this;
  }

  /**
   * The Gram is held whole. Of the two kinds of weights, the more that is needed; the weights that
   * the step starts from are counted by whoever has them.
   */
  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    long borrowed = (weightType == DType.BF16 ? Short.BYTES : Float.BYTES) * rows * in;
    CodeDescent descent = new CodeDescent(sweeps, Zeros.KEEP);
    return new SolveMemory(
        Float.BYTES * in * in,
        SweepMemory.tile(in),
        borrowed
            + Math.max(
                Math.max(
                    MaskedRefit.nativeBytes(rows, in, threads),
                    CodeDescent.nativeBytes(rows, in, threads)),
                Float.BYTES * rows * in + energyBytes(in, threads)),
        Math.max(
            MaskedRefit.heapBytes(in, threads) + weightType.bits() / 8 * rows * in,
            descent.heapBytes(rows, in, in / 32 + 1, threads)));
  }

  /**
   * To measure what came out, beside it: the Gram again, or a tile of it where it was not read
   * whole.
   */
  private static long energyBytes(long in, int threads) {
    return SweepMemory.tile(in) == 0
        ? QuadraticForm.energyBytes(in, threads)
        : SweepMemory.tile(in) + QuadraticForm.energyBytes(TileGrid.EDGE, threads);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    return RefitSolver.prepare(this, statistics);
  }
}
