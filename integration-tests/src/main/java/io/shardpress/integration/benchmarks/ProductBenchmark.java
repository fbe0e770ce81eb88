package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.model.Precision;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** {@code x·Wᵀ}, a product on every core: the square one of the yardstick, and one of a linear. */
public class ProductBenchmark extends Measured {
  @Param({"F32", "BF16"})
  public Precision precision;

  /** Rows of x, rows of W, columns of both. */
  @Param({"2048x2048x2048", "4096x11008x4096"})
  public String product;

  private final INDArray[][] operands = new INDArray[Cores.count()][];
  private Work work;

  @Override
  void prepare() {
    int[] sizes = Sizes.parse(product);
    work = Work.product(sizes[0], sizes[1], sizes[2]);
    cores()
        .each(
            core ->
                operands[core] =
                    new INDArray[] {
                      Matrices.normal(precision, sizes[0], sizes[2], 1),
                      Matrices.normal(precision, sizes[1], sizes[2], 2),
                      Floats.zeros(sizes[0], sizes[1])
                    });
  }

  @Benchmark
  public void timesTransposed(Beside beside) {
    beside.of(this);
    cores().each(this::pass);
  }

  @Override
  void alone() {
    pass(0);
  }

  private void pass(int core) {
    INDArray[] own = operands[core];
    Products.timesTransposed(own[0], own[1], own[2]);
  }

  @Override
  Precision precision() {
    return precision;
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
