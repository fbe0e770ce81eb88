package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Levels;
import io.shardpress.operators.compression.Outcome;
import io.shardpress.operators.compression.Pattern;
import io.shardpress.operators.compression.SparseGpt;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A whole layer: factor and sweep that prunes, all cores. Work is counted as GPTQ's. */
public class SparseGptBenchmark extends Measured {
  /** Rows (outputs) x columns (inputs), the amount, and whether weights are rounded, too. */
  @Param({"4096x4096 2:4", "4096x11008 2:4", "4096x4096 0.5", "4096x4096 2:4 4bit"})
  public String layer;

  private SparseGpt settings;
  private InputStatistics statistics;
  private INDArray weight;
  private Work work;

  @Override
  void prepare() {
    String[] words = layer.split(" ", -1);
    int[] sizes = Sizes.parse(words[0]);
    work = Work.gptq(sizes[0], sizes[1]);
    SparseGpt pruning =
        words[1].contains(":")
            ? SparseGpt.of(Pattern.parse(words[1]))
            : SparseGpt.of(Double.parseDouble(words[1]));
    settings =
        words.length == 3 ? pruning.quantized(4, GroupSize.of(128), Levels.ZERO_ALIGNED) : pruning;
    statistics = Workers.on(Cores.count(), () -> Inputs.correlated(sizes[1]));
    weight = Matrices.normal(Precision.F32, sizes[0], sizes[1], 1);
  }

  @Benchmark
  public void layer(Beside beside) {
    beside.of(this);
    solve(Cores.count());
  }

  @Override
  void alone() {
    solve(1);
  }

  private void solve(int threads) {
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
