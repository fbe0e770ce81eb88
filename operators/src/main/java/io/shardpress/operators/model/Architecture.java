package io.shardpress.operators.model;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A decoder that can be run block by block.
 *
 * <p>Hidden states are F32 {@code [sequences * length, hidden]}, sequence after sequence, all of
 * one length and without padding. Arguments are borrowed; the caller closes what is returned.
 * Instances are immutable and may be shared by threads.
 */
public interface Architecture {

  /** The {@code model_type} of the checkpoint's configuration. */
  String family();

  /** Number of blocks. */
  int blocks();

  /** Width of the hidden states. */
  int hidden();

  /** Number of token ids. */
  int vocabulary();

  /** The tensor {@code [vocabulary, width]} that token ids are looked up in. */
  String embedding();

  /** The longest sequence the model was made for, in tokens. */
  int contextLength();

  /** The linears of one block, in the order they run. */
  List<LinearModule> linears(int block);

  /** The linears of all blocks, then the head when it has a weight of its own. */
  List<LinearModule> linears();

  /**
   * Token (and position) embeddings: {@code [ids.length, hidden]}.
   *
   * @param ids token ids of all sequences
   * @param length tokens per sequence
   */
  INDArray embed(long[] ids, int length, WeightSource weights);

  /** One block, in place: F32 hidden states before it become those behind it. */
  void block(int block, INDArray hidden, int length, WeightSource weights, InputObserver observer);

  /**
   * How many times a block holds all hidden states beside those it is given, at most: what it adds
   * to, and what its experts read and write.
   */
  int statesBeside(int block);

  /** What the language-model head reads: the last block's output after the final norm. */
  INDArray finalNorm(INDArray hidden, WeightSource weights);

  /** Loads the head; it maps the last block's output to logits until it is closed. */
  LogitHead head(WeightSource weights);
}
