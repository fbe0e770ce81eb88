package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Outcome;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A layer with a Gram, from preparing to the result. Work is counted as GPTQ's. */
abstract class WholeLayer extends Measured {
  private Settings settings;
  private InputStatistics statistics;
  private INDArray weight;
  private Work work;

  /**
   * @param size rows (outputs) x columns (inputs)
   */
  void prepare(String size, Settings with) {
    int[] sizes = Sizes.parse(size);
    work = Work.gptq(sizes[0], sizes[1]);
    settings = with;
    statistics = Workers.on(Cores.count(), () -> Inputs.correlated(sizes[1]));
    weight = Matrices.normal(Precision.F32, sizes[0], sizes[1], 1);
  }

  @Override
  void alone() {
    solve(1);
  }

  void solve(int threads) {
    LayerResult result =
        Workers.on(
            threads,
            () -> settings.compress("benchmark", weight, DType.BF16, Optional.of(statistics)));
    if (!(result.outcome() instanceof Outcome.Compressed)) {
      throw new IllegalStateException("Not compressed: " + result.outcome());
    }
  }

  @Override
  Precision precision() {
    return Precision.F32;
  }

  @Override
  Work work() {
    return work;
  }

  @Override
  Work workAlone() {
    return work;
  }

  @Override
  void release() {
    statistics.close();
    weight.close();
  }
}
