package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.DecoderDescription;

/** Qwen 3: Llama with RMS norms over each head of queries and keys. */
final class Qwen3 implements Family {

  @Override
  public String modelType() {
    return "qwen3";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(
        block -> {
          AttentionSpec attention =
              llama
                  .withConfiguredBias(llama.attention(block))
                  .withHeadNorms(llama.headNorms(block))
                  .withWindow(Qwen2.window(llama, block));
          return llama.preNormBlock(block, attention, llama.gatedMlp(block));
        });
  }
}
