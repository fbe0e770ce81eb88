package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Weights of a plain checkpoint, each read and decoded when it is asked for. */
record StoredWeights(Checkpoint checkpoint, Precision precision) implements WeightSource {

  @Override
  public boolean contains(String tensor) {
    return checkpoint.contains(tensor);
  }

  @Override
  public INDArray matrix(String tensor) {
    TensorSource stored = checkpoint.source(tensor);
    return switch (precision) {
      case F32 -> Floats.decode(stored);
      case BF16 -> Rounded.orAsItIs(Floats.load(stored));
    };
  }

  @Override
  public float[] vector(String tensor) {
    try (INDArray vector = Floats.decode(checkpoint.tensor(tensor))) {
      return Floats.toArray(vector);
    }
  }

  @Override
  public INDArray gather(String tensor, long[] rows) {
    return Floats.decode(checkpoint.gather(tensor, rows));
  }
}
