package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.QuantizationConfig;
import io.shardpress.operators.encoding.StoredLinear;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.Precision;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The compressed modules of a compressed-tensors checkpoint. */
record PublishedModules(Checkpoint checkpoint, QuantizationConfig config) implements ModuleWeights {
  private static final List<String> SUFFIXES =
      List.of("", "_packed", "_shape", "_scale", "_zero_point", "_g_idx");

  @Override
  public boolean contains(String module) {
    return checkpoint.contains(module + ".weight_scale");
  }

  @Override
  public INDArray matrix(String module, Precision precision) {
    INDArray dense = dense(module);
    return precision == Precision.BF16 ? Rounded.orAsItIs(dense) : dense;
  }

  private INDArray dense(String module) {
    Scheme scheme =
        config
            .schemeOf(module)
            .orElseThrow(
                () ->
                    new InputException(
                        "%s carries codes, but quantization_config does not target it. The configuration and the weights of %s do not belong together."
                            .formatted(module, checkpoint.location())));
    Map<String, RawTensor> tensors = new HashMap<>();
    for (String suffix : SUFFIXES) {
      String name = module + ".weight" + suffix;
      if (checkpoint.contains(name)) {
        tensors.put(name, checkpoint.tensor(name));
      }
    }
    return new CompressedTensors().decode(stored(module, tensors), scheme, tensors);
  }

  private StoredLinear stored(String module, Map<String, RawTensor> tensors) {
    TensorSpec scale = checkpoint.spec(module + ".weight_scale");
    Optional<RawTensor> shape = Optional.ofNullable(tensors.get(module + ".weight_shape"));
    if (shape.isPresent()) {
      ByteBuffer dimensions = shape.get().data();
      return new StoredLinear(
          module, dimensions.getLong(), dimensions.getLong(), scale.dtype(), Layout.OUT_IN);
    }
    List<Long> dimensions = checkpoint.spec(module + ".weight").shape();
    return new StoredLinear(
        module, dimensions.get(0), dimensions.get(1), scale.dtype(), Layout.OUT_IN);
  }
}
