package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.WeightSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Weights of a plain checkpoint, each read and decoded when it is asked for. */
record StoredWeights(Checkpoint checkpoint) implements WeightSource {

  @Override
  public boolean contains(String tensor) {
    return checkpoint.contains(tensor);
  }

  @Override
  public INDArray matrix(String tensor) {
    return Floats.decode(checkpoint.tensor(tensor));
  }

  @Override
  public float[] vector(String tensor) {
    try (INDArray vector = Floats.decode(checkpoint.tensor(tensor))) {
      return Floats.toArray(vector);
    }
  }

  @Override
  public INDArray gather(String tensor, long[] rows) {
    RawTensor gathered = checkpoint.gather(tensor, rows);
    return Floats.decode(gathered);
  }
}
