package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.OptionalInt;

/** Mistral (Jiang et al., 2023): Llama with a sliding window in all blocks. */
final class Mistral implements Family {

  @Override
  public String modelType() {
    return "mistral";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    // An absent key means the first Mistral's window; later ones write null.
    OptionalInt window =
        config.has("sliding_window") ? llama.slidingWindow() : OptionalInt.of(4096);
    return llama.decoder(
        block ->
            llama.preNormBlock(
                block,
                llama
                    .attention(block)
                    .withWindow(Windows.ofBlock(config, block, window, b -> true)),
                llama.gatedMlp(block)));
  }
}
