package io.shardpress.jobs.model;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Weights of which some are stored as codes: those are dequantized, the others come from elsewhere.
 *
 * @param layouts how the dense weight of a module is stored; {@code OUT_IN} where not named
 * @param others all that is not compressed
 */
record CompressedWeights(ModuleWeights compressed, Map<String, Layout> layouts, WeightSource others)
    implements WeightSource {
  private static final String WEIGHT = ".weight";

  @Override
  public Precision precision() {
    return others.precision();
  }

  @Override
  public boolean contains(String tensor) {
    return isCompressed(tensor) || others.contains(tensor);
  }

  @Override
  public INDArray matrix(String tensor) {
    if (!isCompressed(tensor)) {
      return others.matrix(tensor);
    }
    String module = module(tensor);
    if (layouts.getOrDefault(module, Layout.OUT_IN) == Layout.OUT_IN) {
      return compressed.matrix(module, precision());
    }
    try (INDArray dense = compressed.matrix(module, Precision.F32)) {
      INDArray turned = Floats.transpose(dense);
      return precision() == Precision.BF16 ? Rounded.orAsItIs(turned) : turned;
    }
  }

  @Override
  public float[] vector(String tensor) {
    return others.vector(tensor);
  }

  @Override
  public INDArray gather(String tensor, long[] rows) {
    return others.gather(tensor, rows);
  }

  private boolean isCompressed(String tensor) {
    return tensor.endsWith(WEIGHT) && compressed.contains(module(tensor));
  }

  private static String module(String tensor) {
    return tensor.substring(0, tensor.length() - WEIGHT.length());
  }
}
