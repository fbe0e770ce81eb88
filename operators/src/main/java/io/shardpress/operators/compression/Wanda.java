package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Optional;

/**
 * Settings of Wanda (Sun et al., "A Simple and Effective Pruning Approach for Large Language
 * Models", 2023): in every row, the weights with the smallest {@code |w_ij| · sqrt(Σ x_j²)} become
 * zero, and the others stay as they are.
 *
 * @param sparsity {@code sparsity}: the share of zeros
 * @param pattern {@code pattern}: n:m instead of a share
 * @param budget {@code budget}: {@code uniform}, {@code owl}, or a section with {@code method},
 *     {@code multiple}, {@code spread}
 * @param nonfinite {@code nonfinite}: {@code fail} or {@code copy-unchanged}
 */
public record Wanda(
    Optional<Double> sparsity, Optional<Pattern> pattern, Budget budget, NonfinitePolicy nonfinite)
    implements Pruner {

  public Wanda {
    Sparsity.check(sparsity, pattern);
  }

  /** A share of every row. */
  public static Wanda of(double sparsity) {
    return new Wanda(Optional.of(sparsity), Optional.empty(), Budget.UNIFORM, NonfinitePolicy.FAIL);
  }

  /** n:m. */
  public static Wanda of(Pattern pattern) {
    return new Wanda(Optional.empty(), Optional.of(pattern), Budget.UNIFORM, NonfinitePolicy.FAIL);
  }

  @Override
  public Sparsity amount() {
    return Sparsity.of(sparsity, pattern);
  }

  @Override
  public String describe(Storage before) {
    return "%s, those with the smallest product of weight and norm of the input%s"
        .formatted(amount().describe("every row"), budget.describe());
  }

  @Override
  public Wanda withSparsity(double share) {
    return new Wanda(Optional.of(share), Optional.empty(), budget, nonfinite);
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.MOMENTS;
  }

  @Override
  public Settings withoutStatistics() {
    return new Magnitude(sparsity, pattern, Magnitude.Scope.ROW, nonfinite);
  }

  @Override
  public Optional<Survey> survey() {
    return Pruner.survey(this, budget);
  }

  /** The weight off the heap; on it the result. */
  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    return memoryOf(rows, in, weightType);
  }

  static SolveMemory memoryOf(long rows, long in, DType weightType) {
    long borrowed = weightType == DType.BF16 ? Short.BYTES : Float.BYTES;
    return new SolveMemory(0, 0, borrowed * rows * in, weightType.bits() / 8 * rows * in);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    return new WandaSolver(
        this,
        statistics.orElseThrow(
            () ->
                new InputException(
                    "wanda needs statistics of its input, and there are none. Calibrate, or choose"
                        + " a data-free method such as magnitude.")));
  }

  private Object writeReplace() {
    return RecordProxy.of(this);
  }
}
