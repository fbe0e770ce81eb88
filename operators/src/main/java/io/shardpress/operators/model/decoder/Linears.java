package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.LinearSpec;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Linear layers with their weights loaded. */
final class Linears implements AutoCloseable {
  private final List<LinearSpec> specs;
  private final List<INDArray> weights = new ArrayList<>();
  private final List<float[]> biases = new ArrayList<>();

  /** Loads the weights of {@code specs}; they are found again by their index. */
  Linears(List<LinearSpec> specs, WeightSource source) {
    this.specs = specs;
    try {
      for (LinearSpec spec : specs) {
        INDArray weight = source.matrix(spec.weight());
        weights.add(weight);
        requireShape(spec, weight);
        biases.add(spec.hasBias() ? source.vector(spec.bias()) : new float[0]);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** {@code x [tokens, in] → [tokens, out]}, a new matrix. */
  static INDArray apply(LinearSpec spec, INDArray x, WeightSource source) {
    INDArray y = Floats.uninitialized(Floats.rows(x), spec.out());
    try (Linears linears = new Linears(List.of(spec), source)) {
      if (source.precision() == Precision.BF16 && !BFloats.isBf16(x)) {
        try (INDArray rounded = BFloats.rounded(x)) {
          linears.apply(0, rounded, y);
        }
      } else {
        linears.apply(0, x, y);
      }
    }
    return y;
  }

  /** {@code y [tokens, out]} for {@code x [tokens, in]} in the precision of the pass. */
  void apply(int index, INDArray x, INDArray y) {
    switch (specs.get(index).layout()) {
      case OUT_IN -> Products.timesTransposed(x, weights.get(index), y);
      case IN_OUT -> Products.times(x, weights.get(index), y);
    }
    float[] bias = biases.get(index);
    if (bias.length > 0) {
      RowChunks.edit(y, (values, from) -> RowLoops.add(values, from, bias, 0, bias.length));
    }
  }

  /** Whether {@link #gated} takes this linear, on inputs in the precision of the pass. */
  boolean canGate(int index) {
    return specs.get(index).layout() == Layout.OUT_IN
        && !specs.get(index).hasBias()
        && BFloats.isBf16(weights.get(index))
        && Kernels.multiplyBf16();
  }

  /** {@code activation(y) ∘ z} for the outputs y and z of two linears, in BF16. */
  void gated(int gate, INDArray x, Activation activation, int up, INDArray into) {
    Products.gated(x, weights.get(gate), activation, weights.get(up), into);
  }

  /** Adds the output for {@code x [tokens, in]} to {@code sum [tokens, out]}, whole rows. */
  void add(int index, INDArray x, Block sum) {
    switch (specs.get(index).layout()) {
      case OUT_IN -> Products.addTimesTransposed(x, weights.get(index), sum);
      case IN_OUT -> Products.addTimes(x, weights.get(index), sum);
    }
    float[] bias = biases.get(index);
    if (bias.length > 0) {
      RowChunks.edit(
          sum,
          (values, from) -> RowLoops.add(values, from, bias, 0, bias.length),
          sum.matrix(),
          sum.firstRow());
    }
  }

  /** Output features of one of them. */
  int out(int index) {
    return Math.toIntExact(specs.get(index).out());
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

  @Override
  public void close() {
    weights.forEach(INDArray::close);
  }
}
