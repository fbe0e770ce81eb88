package io.shardpress.operators.compression;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a step leaves of a linear {@code [out, in]}, or of some of its rows. On the heap, and never
 * changed.
 */
public sealed interface CompressedWeight permits DenseWeight, QuantizedWeight {

  int out();

  int in();

  /** How formats store it. */
  Storage storage();

  /** Writes one row, as a runtime will see it, to the start of {@code into}. */
  void readRow(int row, float[] into);

  /** Weights that are exactly zero. */
  long zeros();

  /**
   * The whole matrix, F32 or BF16 {@code [out, in]}, without any rounding; the caller closes it.
   */
  INDArray matrix();
}
