package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The Gram of a chunk of tokens, on every core a chunk of its own. */
public class GramBenchmark extends Measured {
  private static final int TOKENS = 8192;

  /** How much of what is done to a chunk. */
  public enum Part {
    /** The product alone, added to a Gram. */
    PRODUCT,
    /** All of it: a new Gram, moments, the product, and the other triangle. */
    STATISTICS
  }

  @Param({"4096", "11008"})
  public int width;

  @Param({"F32", "BF16"})
  public Precision precision;

  @Param({"PRODUCT", "STATISTICS"})
  public Part part;

  private final INDArray[] inputs = new INDArray[Cores.count()];
  private final INDArray[] grams = new INDArray[Cores.count()];

  @Override
  void prepare() {
    cores()
        .each(
            core -> {
              inputs[core] = Matrices.normal(precision, TOKENS, width, core);
              grams[core] = Floats.zeros(width, width);
            });
  }

  @Benchmark
  public void gram(Beside beside) {
    beside.of(this);
    cores().each(this::pass);
  }

  @Override
  void alone() {
    pass(0);
  }

  private void pass(int core) {
    switch (part) {
      case PRODUCT -> Products.addGramUpper(grams[core], inputs[core]);
      case STATISTICS -> {
        try (StatisticsAccumulator sums =
            new StatisticsAccumulator("benchmark", width, StatisticsNeed.GRAM)) {
          sums.observe(inputs[core]);
          sums.finish().close();
        }
      }
    }
  }

  @Override
  Precision precision() {
    return precision;
  }

  @Override
  Work work() {
    return workAlone().times(Cores.count());
  }

  @Override
  Work workAlone() {
    return Work.gram(TOKENS, width);
  }

  @Override
  void release() {
    Arrays.stream(inputs).forEach(INDArray::close);
    Arrays.stream(grams).forEach(INDArray::close);
  }
}
