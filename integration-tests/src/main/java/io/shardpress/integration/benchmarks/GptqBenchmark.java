package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.compression.Clip;
import io.shardpress.operators.compression.Gptq;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.LayerResult;
import io.shardpress.operators.compression.Outcome;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A whole layer: factor and sweep, 4 bits symmetric, groups of 128, static order, all cores. */
public class GptqBenchmark extends Measured {
  /** Rows (outputs) x columns (inputs), and the clip. */
  @Param({"4096x4096 absmax", "11008x4096 absmax", "4096x11008 absmax", "4096x4096 best"})
  public String layer;

  private Gptq settings;
  private InputStatistics statistics;
  private INDArray weight;
  private Work work;

  @Override
  void prepare() {
    String[] words = layer.split(" ", -1);
    int[] sizes = Sizes.parse(words[0]);
    work = Work.gptq(sizes[0], sizes[1]);
    settings = withClip(Gptq.of(4, GroupSize.of(128)), Clip.parse(words[1]));
    statistics = Workers.on(Cores.count(), () -> Inputs.correlated(sizes[1]));
    weight = Matrices.normal(Precision.F32, sizes[0], sizes[1], 1);
  }

  private static Gptq withClip(Gptq settings, Clip clip) {
    return new Gptq(
        settings.bits(),
        settings.symmetric(),
        settings.groupSize(),
        clip,
        settings.activations(),
        settings.order(),
        settings.scaleSource(),
        settings.damping(),
        settings.dampingLadder(),
        settings.fallback(),
        settings.blockSize(),
        settings.nonfinite());
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
