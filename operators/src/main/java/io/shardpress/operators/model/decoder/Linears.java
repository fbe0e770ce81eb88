package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.LinearSpec;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Applies linear layers. */
final class Linears {
  private Linears() {}

  /** {@code x [tokens, in] → [tokens, out]}, a new matrix. */
  static INDArray apply(LinearSpec linear, INDArray x, WeightSource weights) {
    INDArray y;
    try (INDArray weight = weights.matrix(linear.weight())) {
      requireShape(linear, weight);
      y =
          switch (linear.layout()) {
            case OUT_IN -> Products.timesTransposed(x, weight);
            case IN_OUT -> Products.times(x, weight);
          };
    }
    if (linear.hasBias()) {
      float[] bias = weights.vector(linear.bias());
      RowChunks.edit(y, (values, from) -> RowLoops.add(values, from, bias, 0, bias.length));
    }
    return y;
  }

  private static void requireShape(LinearSpec linear, INDArray weight) {
    boolean outFirst = linear.layout() == Layout.OUT_IN;
    long rows = outFirst ? linear.out() : linear.in();
    long columns = outFirst ? linear.in() : linear.out();
    if (Floats.rows(weight) != rows || Floats.columns(weight) != columns) {
      throw new InputException(
          ("Tensor %s is [%d, %d], but config.json describes [%d, %d]. The configuration does not"
                  + " belong to these weights.")
              .formatted(
                  linear.weight(), Floats.rows(weight), Floats.columns(weight), rows, columns));
    }
  }
}
