package io.shardpress.integration.benchmarks;

import io.shardpress.operators.compression.Clip;
import io.shardpress.operators.compression.Gptq;
import io.shardpress.operators.compression.GroupSize;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A whole layer: factor and sweep, 4 bits symmetric, groups of 128, static order, all cores. */
public class GptqBenchmark extends WholeLayer {
  /** Rows (outputs) x columns (inputs), and the clip. */
  @Param({"4096x4096 absmax", "11008x4096 absmax", "4096x11008 absmax", "4096x4096 best"})
  public String layer;

  @Override
  void prepare() {
    String[] words = layer.split(" ", -1);
    prepare(words[0], withClip(Gptq.of(4, GroupSize.of(128)), Clip.parse(words[1])));
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
}
