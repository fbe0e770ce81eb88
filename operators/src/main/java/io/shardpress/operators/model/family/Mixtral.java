package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import java.util.Optional;

/** Mixtral (Jiang et al., 2024): Mistral with experts; w1, w3 and w2 are gate, up and down. */
final class Mixtral implements Family {

  @Override
  public String modelType() {
    return "mixtral";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(
        block ->
            llama.preNormBlock(
                block,
                llama
                    .attention(block)
                    .withWindow(Windows.ofBlock(config, block, llama.slidingWindow(), b -> true)),
                experts(llama, block)));
  }

  private static ExpertsSpec experts(LlamaLike llama, int block) {
    int experts = llama.config().integer("num_local_experts");
    String path = llama.module(block, "block_sparse_moe");
    return new ExpertsSpec(
        LinearSpec.of(path + ".gate", llama.hidden(), experts),
        llama.tensors().experts(path + ".experts.", experts, name -> expert(llama, name)),
        llama.config().integer("num_experts_per_tok"),
        ExpertsSpec.Weighting.RENORMALIZED,
        Optional.empty());
  }

  private static MlpSpec.Gated expert(LlamaLike llama, String path) {
    int width = llama.config().integer("intermediate_size");
    return new MlpSpec.Gated(
        LinearSpec.of(path + ".w1", llama.hidden(), width),
        LinearSpec.of(path + ".w3", llama.hidden(), width),
        LinearSpec.of(path + ".w2", width, llama.hidden()),
        llama.activation());
  }
}
