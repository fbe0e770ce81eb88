package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums of hidden states. */
final class Hidden {
  private Hidden() {}

  /** {@code sum += addend}. */
  static void add(INDArray sum, INDArray addend) {
    int columns = Floats.columns(sum);
    RowChunks.update(
        sum, addend, (target, at, source, from) -> RowLoops.add(target, at, source, from, columns));
  }
}
