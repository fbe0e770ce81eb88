package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Optional;

/**
 * Magnitude pruning of some rows below a threshold that a survey found.
 *
 * @param settings what was asked for
 * @param threshold smaller weights become zero
 * @param ties of the weights that equal it, how many become zero, the first ones
 */
record MagnitudeCut(Magnitude settings, float threshold, long ties) implements Settings {

  @Override
  public Role role() {
    return settings.role();
  }

  @Override
  public Storage storage(Storage before) {
    return settings.storage(before);
  }

  @Override
  public String describe(Storage before) {
    return settings.describe(before);
  }

  @Override
  public StatisticsNeed needs() {
    return settings.needs();
  }

  @Override
  public Settings withoutStatistics() {
    return this;
  }

  @Override
  public SolveMemory memory(long rows, long in, DType weightType, int threads) {
    return settings.memory(rows, in, weightType, threads);
  }

  @Override
  public Solver prepare(Optional<InputStatistics> statistics) {
    return new MagnitudeSolver(settings, statistics, this);
  }
}
