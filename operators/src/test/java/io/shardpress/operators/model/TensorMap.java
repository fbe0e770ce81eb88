package io.shardpress.operators.model;

import io.shardpress.common.tensor.RawTensor;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Weights in memory; remembers what it handed out. */
public final class TensorMap implements WeightSource {
  private final Map<String, RawTensor> tensors;
  private final List<INDArray> handedOut = new ArrayList<>();

  private final Precision precision;

  public TensorMap(Map<String, RawTensor> tensors) {
    this(tensors, Precision.F32);
  }

  public TensorMap(Map<String, RawTensor> tensors, Precision precision) {
    this.tensors = Map.copyOf(tensors);
    this.precision = precision;
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public boolean contains(String tensor) {
    return tensors.containsKey(tensor);
  }

  @Override
  public INDArray matrix(String tensor) {
    INDArray array = Floats.decode(tensor(tensor));
    if (precision == Precision.BF16) {
      try (INDArray exact = array) {
        array = BFloats.rounded(exact);
      }
    }
    handedOut.add(array);
    return array;
  }

  @Override
  public float[] vector(String tensor) {
    try (INDArray array = Floats.decode(tensor(tensor))) {
      return Floats.toArray(array);
    }
  }

  @Override
  public INDArray gather(String tensor, long[] rows) {
    try (INDArray table = Floats.decode(tensor(tensor))) {
      INDArray gathered = Floats.uninitialized(rows.length, Floats.columns(table));
      float[] row = new float[Floats.columns(table)];
      for (int i = 0; i < rows.length; i++) {
        Floats.readRow(table, rows[i], row);
        Floats.writeRow(gathered, i, row);
      }
      return gathered;
    }
  }

  /** Matrices that were handed out and not closed. */
  public long open() {
    return handedOut.stream().filter(array -> !array.wasClosed()).count();
  }

  private RawTensor tensor(String name) {
    RawTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new AssertionError("No tensor " + name);
    }
    return tensor;
  }
}
