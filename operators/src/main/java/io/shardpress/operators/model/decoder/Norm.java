package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.NormSpec;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A normalization with its weights loaded. */
final class Norm {
  private final NormSpec spec;
  private final float[] weight;
  private final float[] bias;

  private Norm(NormSpec spec, float[] weight, float[] bias) {
    this.spec = spec;
    this.weight = weight;
    this.bias = bias;
  }

  static Norm load(NormSpec spec, int width, WeightSource weights) {
    float[] weight = checked(spec.weight(), width, weights).clone();
    float[] bias = new float[0];
    switch (spec.kind()) {
      case RMS -> {}
      case RMS_ONE_PLUS -> {
        for (int i = 0; i < width; i++) {
          weight[i] += 1;
        }
      }
      case LAYER -> bias = checked(spec.bias(), width, weights);
    }
    return new Norm(spec, weight, bias);
  }

  private static float[] checked(String tensor, int width, WeightSource weights) {
    float[] values = weights.vector(tensor);
    if (values.length != width) {
      throw new InputException(
          ("Tensor %s has %d elements, but config.json describes a norm over %d. The configuration"
                  + " does not belong to these weights.")
              .formatted(tensor, values.length, width));
    }
    return values;
  }

  /** Normalizes one row in place. */
  void apply(float[] values, int from) {
    switch (spec.kind()) {
      case RMS, RMS_ONE_PLUS -> RowLoops.rmsNorm(values, from, weight, spec.epsilon());
      case LAYER -> RowLoops.layerNorm(values, from, weight, bias, spec.epsilon());
    }
  }

  /** Normalizes every row in place. */
  void apply(INDArray x) {
    RowChunks.edit(x, this::apply);
  }

  /** The normalized rows of {@code x}, as a new matrix. */
  INDArray of(INDArray x) {
    INDArray normed = Floats.uninitialized(Floats.rows(x), Floats.columns(x));
    RowChunks.edit(Block.all(x), this::apply, normed, 0);
    return normed;
  }
}
