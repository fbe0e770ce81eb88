package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Optional;

/**
 * Settings of round-to-nearest: every weight becomes the nearest value of its group's grid.
 * Data-free; where a Gram is at hand, the report tells the layer loss.
 *
 * @param bits {@code bits}: 2, 3, 4 or 8
 * @param symmetric {@code symmetric}: no zero points
 * @param groupSize {@code group-size}: columns that share a scale, or {@code channel}
 * @param clip {@code clip}: {@code mse}, {@code absmax}, or a section with {@code method}, {@code
 *     grid}, {@code max-shrink}, {@code norm}
 * @param activations {@code activations}: {@code none} or {@code dynamic-int8}
 * @param nonfinite {@code nonfinite}: {@code fail} or {@code copy-unchanged}
 */
public record Rtn(
    int bits,
    boolean symmetric,
    GroupSize groupSize,
    Clip clip,
    Activations activations,
    NonfinitePolicy nonfinite)
    implements Settings {

  public Rtn {
    Bits.check(bits);
    clip.check(new Grid(bits, symmetric));
  }

  /** Symmetric, with the clip search. */
  public static Rtn of(int bits, GroupSize groupSize) {
    return new Rtn(bits, true, groupSize, Clip.MSE, Activations.NONE, NonfinitePolicy.FAIL);
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
    return "every weight is rounded to the nearest value of its grid: %s; %s"
        .formatted(scheme().describe(), clip.describe(scheme().grid()));
  }

  public Scheme scheme() {
    return new Scheme(new Grid(bits, symmetric), groupSize, ColumnOrder.NATURAL, activations);
  }

  @Override
  public Rtn withoutStatistics() {
    return this;
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.NONE;
  }

  /** The weight off the heap; codes and scales on it. */
  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    long weight = (weightType == DType.BF16 ? 2 : Float.BYTES) * rows * in;
    long scales = Float.BYTES * rows * groupSize.groups(Math.toIntExact(in));
    return new SolveMemory(0, 0, weight, rows * in + scales);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    return new RtnSolver(this, statistics);
  }
}
