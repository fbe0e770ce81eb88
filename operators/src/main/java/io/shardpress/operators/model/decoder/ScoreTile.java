package io.shardpress.operators.model.decoder;

import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Softmax;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Scores of some queries for some keys.
 *
 * @param scores F32 {@code [queries, keys]}
 * @param narrow the same in BF16, where the pass rounds
 */
record ScoreTile(INDArray scores, Optional<INDArray> narrow) implements AutoCloseable {

  /** The softmax of the scores, which are lost, as a product reads it. */
  Block weights() {
    INDArray weights = narrow.orElse(scores);
    Softmax.rows(scores, weights);
    if (narrow.isPresent() && !Kernels.multiplyBf16()) {
      BFloats.widen(Block.all(weights), Block.all(scores));
      return Block.all(scores);
    }
    return Block.all(weights);
  }

  @Override
  public void close() {
    scores.close();
    narrow.ifPresent(INDArray::close);
  }
}
