package io.shardpress.operators.model.decoder;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LogitHead;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A decoder-only model that runs as its description says. */
public final class Decoder implements Architecture {
  private final DecoderDescription description;
  private final TokenEmbedding embedding;

  public Decoder(DecoderDescription description) {
    this.description = description;
    this.embedding = new TokenEmbedding(description);
  }

  @Override
  public String family() {
    return description.family();
  }

  @Override
  public int blocks() {
    return description.blocks().size();
  }

  @Override
  public int hidden() {
    return description.hidden();
  }

  @Override
  public int vocabulary() {
    return description.vocabulary();
  }

  @Override
  public String embedding() {
    return description.embedding().table();
  }

  @Override
  public int contextLength() {
    return description.contextLength();
  }

  @Override
  public List<LinearModule> linears(int block) {
    return description.blocks().get(block).modules();
  }

  @Override
  public List<LinearModule> linears() {
    List<LinearModule> all = new ArrayList<>();
    description.blocks().stream().map(BlockSpec::modules).forEach(all::addAll);
    description.head().module().ifPresent(all::add);
    return all;
  }

  @Override
  public INDArray embed(long[] ids, int length, WeightSource weights) {
    requireWholeSequences(ids.length, length);
    return embedding.apply(ids, length, weights);
  }

  @Override
  public void block(
      int block, INDArray hidden, int length, WeightSource weights, InputObserver observer) {
    requireWholeSequences(Floats.rows(hidden), length);
    BlockSpec spec = description.blocks().get(block);
    new DecoderBlock(spec, length, weights, observer).apply(hidden);
  }

  @Override
  public int statesBeside(int block) {
    return DecoderBlock.statesBeside(description.blocks().get(block));
  }

  @Override
  public INDArray finalNorm(INDArray hidden, WeightSource weights) {
    return new FinalNorm(description, weights).of(hidden);
  }

  @Override
  public LogitHead head(WeightSource weights) {
    return new DecoderHead(description, weights);
  }

  private static void requireWholeSequences(int tokens, int length) {
    if (length < 1 || tokens % length != 0) {
      throw new InputException(
          ("%d tokens are not a whole number of sequences of %d tokens. All sequences of a batch"
                  + " have one length.")
              .formatted(tokens, length));
    }
  }
}
