package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.LogitHead;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.OptionalDouble;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A head that holds its weight until it is closed. */
final class DecoderHead implements LogitHead {
  private final FinalNorm finalNorm;
  private final INDArray weight;
  private final OptionalDouble softCap;
  private final int vocabulary;

  DecoderHead(DecoderDescription description, WeightSource weights) {
    finalNorm = new FinalNorm(description, weights);
    weight = weights.matrix(description.head().weight());
    vocabulary = description.vocabulary();
    if (Floats.rows(weight) != vocabulary) {
      int rows = Floats.rows(weight);
      weight.close();
      throw new InputException(
          ("Tensor %s has %d rows, but config.json gives a vocabulary of %d. The configuration does"
                  + " not belong to these weights.")
              .formatted(description.head().weight(), rows, vocabulary));
    }
    softCap = description.head().softCap();
  }

  @Override
  public INDArray logits(INDArray hidden) {
    try (INDArray normed = finalNorm.of(hidden)) {
      INDArray logits = product(normed);
      softCap.ifPresent(
          cap ->
              RowChunks.edit(
                  logits,
                  (values, from) -> RowLoops.softCap(values, from, vocabulary, (float) cap)));
      return logits;
    }
  }

  private INDArray product(INDArray normed) {
    if (!BFloats.isBf16(weight)) {
      return Products.timesTransposed(normed, weight);
    }
    try (INDArray rounded = BFloats.rounded(normed)) {
      return Products.timesTransposed(rounded, weight);
    }
  }

  @Override
  public void close() {
    weight.close();
  }
}
