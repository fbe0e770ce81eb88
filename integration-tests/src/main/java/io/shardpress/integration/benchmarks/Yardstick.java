package io.shardpress.integration.benchmarks;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.model.Precision;
import java.util.concurrent.atomic.DoubleAdder;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The machine's own product rate at this moment: square products, every thread its own, one after
 * another for a while.
 */
final class Yardstick implements AutoCloseable {
  private static final int SIZE = 2048;
  private static final double SECONDS = 0.4;

  private final Cores cores;
  private final INDArray[][] operands = new INDArray[Cores.count()][];

  Yardstick(Precision precision, Cores cores) {
    this.cores = cores;
    cores.each(
        core ->
            operands[core] =
                new INDArray[] {
                  Matrices.normal(precision, SIZE, SIZE, 1),
                  Matrices.normal(precision, SIZE, SIZE, 2),
                  Floats.zeros(SIZE, SIZE)
                });
  }

  /** FLOP/s of all cores together. */
  double allCores() {
    DoubleAdder sum = new DoubleAdder();
    cores.each(core -> sum.add(rate(core)));
    return sum.sum();
  }

  /** FLOP/s of one core while the others rest. */
  double oneCore() {
    return rate(0);
  }

  private double rate(int core) {
    INDArray[] own = operands[core];
    Work product = Work.product(SIZE, SIZE, SIZE);
    return product.amount() / Timer.seconds(SECONDS, () -> product(own));
  }

  private static void product(INDArray[] own) {
    Products.timesTransposed(own[0], own[1], own[2]);
  }

  @Override
  public void close() {
    for (INDArray[] own : operands) {
      for (INDArray array : own) {
        array.close();
      }
    }
  }
}
