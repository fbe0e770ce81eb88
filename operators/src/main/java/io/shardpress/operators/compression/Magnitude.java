package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Optional;

/**
 * Settings of magnitude pruning: the smallest weights become zero. Data-free; where a Gram is at
 * hand, the report tells the layer loss.
 *
 * @param sparsity {@code sparsity}: the share of zeros
 * @param pattern {@code pattern}: n:m instead of a share
 * @param scope {@code scope}: {@code layer}, {@code row} or {@code global}: which weights are
 *     compared with one another; of no account with a pattern
 * @param nonfinite {@code nonfinite}: {@code fail} or {@code copy-unchanged}
 */
public record Magnitude(
    Optional<Double> sparsity, Optional<Pattern> pattern, Scope scope, NonfinitePolicy nonfinite)
    implements Pruner {

  /** Which weights share a threshold. */
  public enum Scope {
    /** Those of a linear. */
    LAYER,
    /** Those of an output channel. */
    ROW,
    /** Those of all linears that the step has these settings for. */
    GLOBAL
  }

  public Magnitude {
    Sparsity.check(sparsity, pattern);
    if (pattern.isPresent() && scope == Scope.GLOBAL) {
      throw new InputException(
          "scope = global does not go with pattern = \"%s\", which compares neighbours. Give sparsity, or scope = layer."
              .formatted(pattern.get()));
    }
  }

  /** With one threshold for every linear. */
  public static Magnitude of(double sparsity) {
    return new Magnitude(
        Optional.of(sparsity), Optional.empty(), Scope.LAYER, NonfinitePolicy.FAIL);
  }

  /** n:m. */
  public static Magnitude of(Pattern pattern) {
    return new Magnitude(Optional.empty(), Optional.of(pattern), Scope.LAYER, NonfinitePolicy.FAIL);
  }

  @Override
  public Sparsity amount() {
    return Sparsity.of(sparsity, pattern);
  }

  @Override
  public String describe(Storage before) {
    String among =
        switch (scope) {
          case LAYER -> "the linear";
          case ROW -> "every row";
          case GLOBAL -> "all linears with these settings, taken together,";
        };
    return amount().describe(among) + ", the smallest ones";
  }

  @Override
  public Magnitude withSparsity(double share) {
    return new Magnitude(Optional.of(share), Optional.empty(), scope, nonfinite);
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.NONE;
  }

  @Override
  public Magnitude withoutStatistics() {
    return this;
  }

  /** A threshold for weights that are not solved together. */
  @Override
  public Optional<Survey> survey() {
    return amount() instanceof Sparsity.Share && scope != Scope.ROW
        ? Optional.of(MagnitudeSurvey.of(this))
        : Optional.empty();
  }

  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    return Wanda.memoryOf(rows, in, weightType);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    return new MagnitudeSolver(this, statistics);
  }

  private Object writeReplace() {
    return RecordProxy.of(this);
  }
}
