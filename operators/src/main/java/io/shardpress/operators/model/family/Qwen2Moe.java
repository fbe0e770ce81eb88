package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.LinearSpec;
import java.util.Optional;

/** Qwen 1.5 and 2 with experts, and one network that every token passes. */
final class Qwen2Moe implements Family {

  @Override
  public String modelType() {
    return "qwen2_moe";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(
        block ->
            llama.preNormBlock(
                block,
                attention(llama, block),
                QwenExperts.ofBlock(llama, block, Optional.of(shared(llama, block)))));
  }

  private static AttentionSpec attention(LlamaLike llama, int block) {
    ModelConfig config = llama.config();
    AttentionSpec plain = llama.attention(block);
    AttentionSpec biased =
        config.flag("qkv_bias", true)
            ? plain.withLinears(llama.separate(block).withBias(), plain.output())
            : plain;
    int windowed = config.integer("max_window_layers", 28);
    return biased.withWindow(
        Windows.ofBlock(config, block, Qwen2.usedWindow(llama), b -> b % 2 == 0 && b < windowed));
  }

  private static ExpertsSpec.Shared shared(LlamaLike llama, int block) {
    int width = llama.config().integer("shared_expert_intermediate_size");
    return new ExpertsSpec.Shared(
        llama.gated(llama.module(block, "mlp.shared_expert"), width),
        LinearSpec.of(llama.module(block, "mlp.shared_expert_gate"), llama.hidden(), 1));
  }
}
