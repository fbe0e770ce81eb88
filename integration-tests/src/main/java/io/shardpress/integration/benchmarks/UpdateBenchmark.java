package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.model.Precision;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The correction of later columns by earlier ones, which a sweep consists of, on every core. */
public class UpdateBenchmark extends Measured {
  /** Later columns, rows of the weight, earlier columns. */
  @Param({"128x512x128", "2048x512x2048"})
  public String update;

  private final INDArray[][] operands = new INDArray[Cores.count()][];
  private Work work;

  @Override
  void prepare() {
    int[] sizes = Sizes.parse(update);
    work = Work.product(sizes[0], sizes[1], sizes[2]);
    cores()
        .each(
            core ->
                operands[core] =
                    new INDArray[] {
                      Floats.zeros(sizes[0], sizes[1]),
                      Matrices.normal(Precision.F32, sizes[2], sizes[0], 1),
                      Matrices.normal(Precision.F32, sizes[2], sizes[1], 2)
                    });
  }

  @Benchmark
  public void subtractTransposedTimes(Beside beside) {
    beside.of(this);
    cores().each(this::pass);
  }

  @Override
  void alone() {
    pass(0);
  }

  private void pass(int core) {
    INDArray[] own = operands[core];
    Products.subtractTransposedTimes(Block.all(own[0]), Block.all(own[1]), Block.all(own[2]));
  }

  @Override
  Precision precision() {
    return Precision.F32;
  }

  @Override
  Work work() {
    return work.times(Cores.count());
  }

  @Override
  Work workAlone() {
    return work;
  }

  @Override
  void release() {
    Arrays.stream(operands).flatMap(Arrays::stream).forEach(INDArray::close);
  }
}
