package io.shardpress.operators.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The end of a decoder with its weights loaded: final norm, language-model head, soft cap. */
public interface LogitHead extends AutoCloseable {

  /**
   * {@code [tokens, hidden]} as the last block returned them → {@code [tokens, vocabulary]}; the
   * caller closes the result, and slices the rows when that is too much at once.
   */
  INDArray logits(INDArray hidden);

  /** Frees the weights. */
  @Override
  void close();
}
