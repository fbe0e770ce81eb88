package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.MlpSpec;

/** Llama 1 to 3 (Touvron et al., 2023). */
final class Llama implements Family {

  @Override
  public String modelType() {
    return "llama";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(
        block -> {
          AttentionSpec attention = llama.withConfiguredBias(llama.attention(block));
          MlpSpec.Gated mlp = llama.gatedMlp(block);
          return llama.preNormBlock(
              block, attention, config.flag("mlp_bias", false) ? mlp.withBias() : mlp);
        });
  }
}
