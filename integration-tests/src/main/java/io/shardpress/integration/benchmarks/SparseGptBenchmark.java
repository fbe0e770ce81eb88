package io.shardpress.integration.benchmarks;

import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Levels;
import io.shardpress.operators.compression.Pattern;
import io.shardpress.operators.compression.SparseGpt;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A whole layer: factor and sweep that prunes, all cores. */
public class SparseGptBenchmark extends WholeLayer {
  /** Rows (outputs) x columns (inputs), the amount, and whether weights are rounded, too. */
  @Param({"4096x4096 2:4", "4096x11008 2:4", "4096x4096 0.5", "4096x4096 2:4 4bit"})
  public String layer;

  @Override
  void prepare() {
    String[] words = layer.split(" ", -1);
    SparseGpt pruning =
        words[1].contains(":")
            ? SparseGpt.of(Pattern.parse(words[1]))
            : SparseGpt.of(Double.parseDouble(words[1]));
    prepare(
        words[0],
        words.length == 3 ? pruning.quantized(4, GroupSize.of(128), Levels.ZERO_ALIGNED) : pruning);
  }

  @Benchmark
  public void layer(Beside beside) {
    beside.of(this);
    solve(Cores.count());
  }
}
