package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.ExpertsSpec.Weighting;
import io.shardpress.operators.model.description.FeedForwardSpec;
import io.shardpress.operators.model.description.LinearSpec;
import java.util.Optional;

/** Experts as Qwen names and places them. */
final class QwenExperts {
  private QwenExperts() {}

  /** A dense network where the configuration says so, experts elsewhere. */
  static FeedForwardSpec ofBlock(LlamaLike llama, int block, Optional<ExpertsSpec.Shared> shared) {
    ModelConfig config = llama.config();
    int experts = expertCount(config);
    int step = config.integer("decoder_sparse_step", 1);
    if (step < 1) {
      throw new InputException(
          "config.json: 'decoder_sparse_step' is %d, but experts lie in every block or every so many. Correct it, or download the model again."
              .formatted(step));
    }
    boolean isDense =
        config.integers("mlp_only_layers").contains(block)
            || experts == 0
            || (block + 1) % step != 0;
    return isDense ? llama.gatedMlp(block) : experts(llama, block, experts, shared);
  }

  private static ExpertsSpec experts(
      LlamaLike llama, int block, int experts, Optional<ExpertsSpec.Shared> shared) {
    ModelConfig config = llama.config();
    String path = llama.module(block, "mlp");
    int width = config.integer("moe_intermediate_size");
    return new ExpertsSpec(
        LinearSpec.of(path + ".gate", llama.hidden(), experts),
        llama.tensors().experts(path + ".experts.", experts, name -> llama.gated(name, width)),
        config.integer("num_experts_per_tok"),
        config.flag("norm_topk_prob", false) ? Weighting.RENORMALIZED : Weighting.PROBABILITIES,
        shared);
  }

  /** transformers 5 may save {@code num_experts} under Mixtral's name. */
  private static int expertCount(ModelConfig config) {
    return config
        .optionalInteger("num_experts")
        .orElseGet(() -> config.integer("num_local_experts"));
  }
}
