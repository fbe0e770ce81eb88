package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An algorithm bound to its settings and to the statistics of one input. Immutable: tasks may share
 * it. Rows are independent, so a layer may be solved in slices of rows; the stacked results equal
 * the whole bit for bit, unless the settings ask for a threshold over all rows.
 */
public interface Solver extends AutoCloseable {

  /**
   * Compresses one linear, or a slice of its rows.
   *
   * @return numerical trouble is an outcome of the result, not an exception
   * @throws io.shardpress.common.error.InputException when the settings do not fit the shape
   */
  LayerResult compress(LinearWeight weight);

  /**
   * Compresses a linear that no step has changed, or a slice of its rows.
   *
   * @param module the linear's name, for messages
   * @param weight F32 or BF16 {@code [out, in]}, borrowed and left unchanged
   * @param weightType the type of the weight in its checkpoint, which scales are stored in
   */
  default LayerResult compress(String module, INDArray weight, DType weightType) {
    return compress(LinearWeight.of(module, weight, weightType));
  }

  @Override
  void close();
}
