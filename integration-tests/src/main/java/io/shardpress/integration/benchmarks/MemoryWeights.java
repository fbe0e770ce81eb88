package io.shardpress.integration.benchmarks;

import io.shardpress.common.tensor.RawTensor;
import io.shardpress.integration.models.LlamaShape;
import io.shardpress.integration.models.RandomLlama;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One block's stored tensors in memory, decoded each time they are asked for, as jobs do. */
record MemoryWeights(Map<String, RawTensor> tensors, Precision precision) implements WeightSource {

  /** Random weights of the first block. */
  static MemoryWeights random(LlamaShape shape, Precision precision) {
    RandomLlama llama = new RandomLlama(shape, 1);
    return new MemoryWeights(
        shape.blockTensors(0).stream()
            .map(llama::tensor)
            .collect(Collectors.toMap(tensor -> tensor.spec().name(), Function.identity())),
        precision);
  }

  @Override
  public boolean contains(String tensor) {
    return tensors.containsKey(tensor);
  }

  @Override
  public INDArray matrix(String tensor) {
    RawTensor stored = tensors.get(tensor);
    return switch (precision) {
      case F32 -> Floats.decode(stored);
      case BF16 -> Floats.load(stored);
    };
  }

  @Override
  public float[] vector(String tensor) {
    try (INDArray vector = Floats.decode(tensors.get(tensor))) {
      return Floats.toArray(vector);
    }
  }

  @Override
  public INDArray gather(String tensor, long[] rows) {
    throw new IllegalStateException("A block looks up no rows, but " + tensor + " was asked for");
  }
}
