package io.shardpress.operators.model;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Builds small F32 checkpoints in memory: given values, or random ones from a seed. */
public final class TinyWeights {
  private final Random random;
  private final Map<String, RawTensor> tensors = new TreeMap<>();

  public TinyWeights(long seed) {
    random = new Random(seed);
  }

  /** A tensor of these values. */
  public TinyWeights put(String name, long[] shape, float... values) {
    TensorSpec spec = TensorSpec.of(name, DType.F32, shape);
    ByteBuffer bytes = ByteBuffer.allocate((int) spec.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    tensors.put(name, new RawTensor(spec, bytes));
    return this;
  }

  /** A matrix of random values that keeps the size of what it is applied to. */
  public TinyWeights matrix(String name, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
    }
    return put(name, new long[] {rows, columns}, values);
  }

  /** A vector of random values around {@code center}. */
  public TinyWeights vector(String name, int size, float center) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = center + 0.2f * (float) random.nextGaussian();
    }
    return put(name, new long[] {size}, values);
  }

  public Map<String, RawTensor> tensors() {
    return tensors;
  }

  public TensorMap source() {
    return new TensorMap(tensors);
  }
}
