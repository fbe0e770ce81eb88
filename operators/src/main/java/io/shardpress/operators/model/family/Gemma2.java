package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.model.description.ActivationNames;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import io.shardpress.operators.model.description.ResidualSpec;
import io.shardpress.operators.model.family.TensorNames.Tying;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Gemma 2 (Gemma team, 2024): norms with 1 + w on both sides of attention and network, soft caps, a
 * window in every other block, embeddings scaled by sqrt(hidden).
 */
final class Gemma2 implements Family {

  @Override
  public String modelType() {
    return "gemma2";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    if (config.flag("use_bidirectional_attention", false)) {
      throw new InputException(
          "config.json (model_type gemma2) sets use_bidirectional_attention, which is not"
              + " supported: only causal decoders run forward.");
    }
    LlamaLike llama = LlamaLike.of(config, tensors);
    // The model multiplies in its own type, so the factor has that type's precision.
    float scale = FloatCodec.roundTo(config.weightType(), (float) Math.sqrt(llama.hidden()));
    return llama.decoder(
        llama.embedding().withScale(scale),
        block -> block(llama, block),
        llama
            .head(norm(llama, llama.prefix() + "norm"), Tying.TIED)
            .withSoftCap(cap(config, "final_logit_softcapping", 30)));
  }

  private static BlockSpec block(LlamaLike llama, int block) {
    ModelConfig config = llama.config();
    OptionalInt window =
        config.has("sliding_window") ? llama.slidingWindow() : OptionalInt.of(4096);
    AttentionSpec attention =
        llama
            .withConfiguredBias(llama.attention(block))
            .withScale(1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)))
            .withSoftCap(cap(config, "attn_logit_softcapping", 50))
            .withWindow(Windows.ofBlock(config, block, window, b -> b % 2 == 0));
    return new BlockSpec(
        attention,
        mlp(llama, block),
        new ResidualSpec.Sandwich(
            norm(llama, llama.module(block, "input_layernorm")),
            norm(llama, llama.module(block, "post_attention_layernorm")),
            norm(llama, llama.module(block, "pre_feedforward_layernorm")),
            norm(llama, llama.module(block, "post_feedforward_layernorm"))));
  }

  private static MlpSpec mlp(LlamaLike llama, int block) {
    int width = llama.config().integer("intermediate_size");
    return new MlpSpec.Gated(
        LinearSpec.of(llama.module(block, "mlp.gate_proj"), llama.hidden(), width),
        LinearSpec.of(llama.module(block, "mlp.up_proj"), llama.hidden(), width),
        LinearSpec.of(llama.module(block, "mlp.down_proj"), width, llama.hidden()),
        ActivationNames.parse(llama.config().text("hidden_activation", "gelu_pytorch_tanh")));
  }

  private static NormSpec norm(LlamaLike llama, String module) {
    double epsilon = llama.config().number("rms_norm_eps", 1e-6);
    return new NormSpec(module, NormSpec.Kind.RMS_ONE_PLUS, epsilon);
  }

  /** Null means no cap. */
  private static OptionalDouble cap(ModelConfig config, String key, double absent) {
    return config.has(key) ? config.optionalNumber(key) : OptionalDouble.of(absent);
  }
}
