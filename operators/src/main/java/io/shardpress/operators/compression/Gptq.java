package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.List;
import java.util.Optional;

/**
 * Settings of GPTQ (Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative
 * Pre-trained Transformers", 2022): round column by column, and let the columns to come make up for
 * each rounding error, as the Gram of the inputs says.
 *
 * @param bits {@code bits}: 2, 3, 4 or 8
 * @param symmetric {@code symmetric}: no zero points
 * @param groupSize {@code group-size}: columns that share a scale, or {@code channel}
 * @param clip {@code clip}: {@code best}, {@code mse}, {@code absmax}, or a section with {@code
 *     method}, {@code grid}, {@code max-shrink}, {@code norm}
 * @param activations {@code activations}: {@code none} or {@code dynamic-int8}
 * @param order {@code order}: {@code static}, {@code group} or {@code natural}
 * @param scaleSource {@code scale-source}: {@code auto}, {@code original} or {@code updated}
 * @param damping {@code damping}: added to the Gram's diagonal, as a share of its mean
 * @param dampingLadder {@code damping-ladder}: factors on the damping, tried in turn until the
 *     factorization succeeds
 * @param fallback {@code fallback}: {@code fail} or {@code rtn}, when the ladder ends
 * @param blockSize {@code block-size}: columns between two updates of all later columns
 * @param nonfinite {@code nonfinite}: {@code fail} or {@code copy-unchanged}
 */
public record Gptq(
    int bits,
    boolean symmetric,
    GroupSize groupSize,
    Clip clip,
    Activations activations,
    ColumnOrder order,
    ScaleSource scaleSource,
    double damping,
    List<Double> dampingLadder,
    Fallback fallback,
    int blockSize,
    NonfinitePolicy nonfinite)
    implements Settings {

  public Gptq {
    Bits.check(bits);
    clip.check(new Grid(bits, symmetric));
    dampingLadder = List.copyOf(dampingLadder);
    new Ladder(damping, dampingLadder);
    ColumnSweep.checkBlockSize(blockSize);
    if (order == ColumnOrder.STATIC && scaleSource == ScaleSource.UPDATED) {
      throw new InputException(
          "scale-source = updated does not go with order = static: its groups are not swept one"
              + " after another. Choose original, or order = group or natural.");
    }
  }

  /** Symmetric, static order, best of several ranges, one percent of damping. */
  public static Gptq of(int bits, GroupSize groupSize) {
    return new Gptq(
        bits,
        true,
        groupSize,
        Clip.BEST,
        Activations.NONE,
        ColumnOrder.STATIC,
        ScaleSource.AUTO,
        0.01,
        List.of(1.0, 10.0, 100.0),
        Fallback.FAIL,
        128,
        NonfinitePolicy.FAIL);
  }

  Ladder ladder() {
    return new Ladder(damping, dampingLadder);
  }

  /** Whether groups take their scale when the sweep reaches them. */
  ScaleSource effectiveScaleSource() {
    if (scaleSource != ScaleSource.AUTO) {
      return scaleSource;
    }
    return order == ColumnOrder.STATIC ? ScaleSource.ORIGINAL : ScaleSource.UPDATED;
  }

  @Override
  public Rtn withoutStatistics() {
    return new Rtn(bits, symmetric, groupSize, clip, activations, nonfinite);
  }

  @Override
  public Role role() {
    return Role.QUANTIZE;
  }

  @Override
  public Storage storage(Storage before) {
    return scheme();
  }

  @Override
  public String describe(Storage before) {
    Grid grid = scheme().grid();
    String ranges =
        clip.method() == Clip.Method.BEST && GroupRange.searches(clip, grid)
            ? "every row keeps the best of %d ranges".formatted(clip.candidates().size())
            : clip.describe(grid);
    return "weights are rounded column by column, and the columns to come make up for each error: %s; %s"
        .formatted(scheme().describe(), ranges);
  }

  /** How its layers are stored. */
  public Scheme scheme() {
    return new Scheme(
        new Grid(bits, symmetric),
        groupSize,
        groupSize.isChannel() ? ColumnOrder.NATURAL : order,
        activations);
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.GRAM;
  }

  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    return SweepMemory.of(this, rows, in, weightType, threads);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    InputStatistics needed =
        statistics
            .filter(found -> found.gram().isPresent())
            .orElseThrow(
                () ->
                    new InputException(
                        "gptq needs the Gram of its input, and there is none. Calibrate with Grams,"
                            + " or choose a data-free method such as rtn."));
    return GptqSolver.prepare(this, needed);
  }
}
