package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.QkvSource;

/** Phi 3 and 4 (Abdin et al., 2024): Llama with fused linears; some rotate a part of each head. */
final class Phi3 implements Family {

  @Override
  public String modelType() {
    return "phi3";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(block -> block(llama, block));
  }

  private static BlockSpec block(LlamaLike llama, int block) {
    ModelConfig config = llama.config();
    int width = config.integer("intermediate_size");
    int qkvWidth = llama.shape().queryWidth() + 2 * llama.shape().keyValueWidth();
    LinearSpec qkv =
        LinearSpec.of(llama.module(block, "self_attn.qkv_proj"), llama.hidden(), qkvWidth);
    AttentionSpec attention =
        llama
            .attention(block, new QkvSource.Concatenated(qkv))
            .withRotary(RotaryConfig.partial(config, llama.headSize(), 1))
            .withWindow(Windows.ofBlock(config, block, llama.slidingWindow(), b -> true));
    MlpSpec mlp =
        new MlpSpec.FusedGated(
            LinearSpec.of(llama.module(block, "mlp.gate_up_proj"), llama.hidden(), 2L * width),
            LinearSpec.of(llama.module(block, "mlp.down_proj"), width, llama.hidden()),
            llama.activation());
    return llama.preNormBlock(block, attention, mlp);
  }
}
