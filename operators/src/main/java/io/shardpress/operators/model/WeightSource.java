package io.shardpress.operators.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a forward pass gets its weights from: tensors by full name, in stored layout. */
public interface WeightSource {

  /** In what the linears are to be computed. */
  default Precision precision() {
    return Precision.F32;
  }

  boolean contains(String tensor);

  /** A two-dimensional tensor, F32 or, under {@link Precision#BF16}, BF16; the caller closes it. */
  INDArray matrix(String tensor);

  /** A one-dimensional tensor; borrowed, not to be changed. */
  float[] vector(String tensor);

  /** Rows of a two-dimensional tensor as F32, in the order asked for; the caller closes it. */
  INDArray gather(String tensor, long[] rows);
}
