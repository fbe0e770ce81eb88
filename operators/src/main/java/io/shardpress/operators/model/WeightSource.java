package io.shardpress.operators.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Where a forward pass gets its weights from: tensors by full name, as F32, in stored layout. */
public interface WeightSource {

  boolean contains(String tensor);

  /** A two-dimensional tensor; the caller closes it. */
  INDArray matrix(String tensor);

  /** A one-dimensional tensor; borrowed, not to be changed. */
  float[] vector(String tensor);

  /** The named rows of a two-dimensional tensor, in the order asked for; the caller closes it. */
  INDArray gather(String tensor, long[] rows);
}
