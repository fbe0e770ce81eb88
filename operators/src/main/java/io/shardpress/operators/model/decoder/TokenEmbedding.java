package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.RowLoops;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.EmbeddingSpec;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Token ids to hidden states. */
record TokenEmbedding(DecoderDescription description) {

  INDArray apply(long[] ids, int length, WeightSource weights) {
    requireKnown(ids);
    EmbeddingSpec spec = description.embedding();
    INDArray hidden = scaled(weights.gather(spec.table(), ids), (float) spec.scale());
    if (spec.project().isPresent()) {
      try (INDArray narrow = hidden) {
        hidden = Linears.apply(spec.project().get(), narrow, weights);
      }
    }
    if (spec.positions().isPresent()) {
      addPositions(spec.positions().get(), length, weights, hidden);
    }
    return hidden;
  }

  private static INDArray scaled(INDArray rows, float factor) {
    if (factor != 1f) {
      int columns = Floats.columns(rows);
      RowChunks.edit(rows, (values, from) -> RowLoops.scale(values, from, columns, factor));
    }
    return rows;
  }

  private void addPositions(
      EmbeddingSpec.Positions positions, int length, WeightSource weights, INDArray hidden) {
    if (length > description.contextLength()) {
      throw new InputException(
          ("Sequences of %d tokens are longer than the %d positions this %s model has learned."
                  + " Choose a sequence length of at most %d.")
              .formatted(
                  length,
                  description.contextLength(),
                  description.family(),
                  description.contextLength()));
    }
    int columns = Floats.columns(hidden);
    long[] rows = LongStream.range(0, length).map(t -> t + positions.offset()).toArray();
    float[] sequence = new float[length * columns];
    float[] learned = new float[length * columns];
    try (INDArray table = weights.gather(positions.table(), rows)) {
      Floats.readRows(table, 0, length, learned);
    }
    for (int first = 0; first < Floats.rows(hidden); first += length) {
      Floats.readRows(hidden, first, length, sequence);
      RowLoops.add(sequence, 0, learned, 0, sequence.length);
      Floats.writeRows(hidden, first, length, sequence);
    }
  }

  private void requireKnown(long[] ids) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= description.vocabulary()) {
        throw new InputException(
            ("Token id %d at index %d is outside the model's vocabulary of %d. The data was"
                    + " tokenized for another model; use this model's tokenizer.")
                .formatted(ids[i], i, description.vocabulary()));
      }
    }
  }
}
