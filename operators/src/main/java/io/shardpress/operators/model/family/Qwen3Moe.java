package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.Optional;

/** Qwen 3 with experts. */
final class Qwen3Moe implements Family {

  @Override
  public String modelType() {
    return "qwen3_moe";
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
                  .withWindow(Windows.ofBlock(config, block, Qwen2.usedWindow(llama), b -> true));
          return llama.preNormBlock(
              block, attention, QwenExperts.ofBlock(llama, block, Optional.empty()));
        });
  }
}
