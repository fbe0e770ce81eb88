package io.shardpress.jobs.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.common.json.JsonMutator;
import io.shardpress.operators.model.Architectures;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A {@code config.json} whose numbers lie describes a model that fits its tensors, or is refused:
 * no family divides by its zeros or builds what its billions ask for.
 */
@Tag("small-heap")
class DamagedConfigTest {
  private static final int DOCUMENTS = Integer.getInteger("documents", 30_000) / 10;
  private static final long SEED = Long.getLong("seed", 20260501L);

  /** Every key that a family reads, for a model of two blocks. */
  private static final String CONFIG =
      """
      {"model_type": "%s", "hidden_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2,
       "head_dim": 6, "intermediate_size": 40, "vocab_size": 50, "num_hidden_layers": 2,
       "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
       "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
         "high_freq_factor": 4.0, "original_max_position_embeddings": 128},
       "tie_word_embeddings": false, "hidden_act": "silu", "attention_bias": false,
       "mlp_bias": false, "sliding_window": 64, "use_sliding_window": false,
       "max_window_layers": 1, "layer_types": ["full_attention", "full_attention"],
       "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2,
       "moe_intermediate_size": 8, "shared_expert_intermediate_size": 8, "norm_topk_prob": true,
       "decoder_sparse_step": 1, "mlp_only_layers": [], "partial_rotary_factor": 1.0,
       "rotary_pct": 0.5, "rotary_emb_base": 10000, "use_parallel_residual": true,
       "layer_norm_eps": 1e-5, "layer_norm_epsilon": 1e-5, "n_embd": 24, "n_head": 4,
       "n_layer": 2, "n_positions": 512, "n_inner": null, "activation_function": "relu",
       "ffn_dim": 40, "word_embed_proj_dim": 24, "do_layer_norm_before": true,
       "enable_bias": true, "hidden_activation": "gelu_pytorch_tanh",
       "query_pre_attn_scalar": 6, "attn_logit_softcapping": 50.0,
       "final_logit_softcapping": 30.0, "original_max_position_embeddings": 512,
       "bos_token_id": 1}
      """;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama",
        "mistral",
        "qwen2",
        "qwen3",
        "phi3",
        "gemma2",
        "mixtral",
        "qwen2_moe",
        "qwen3_moe",
        "opt",
        "gpt2",
        "gpt_neox"
      })
  void fitsTheTensorsOrIsRefused(String family) {
    String document = CONFIG.formatted(family);
    for (int i = 0; i < DOCUMENTS; i++) {
      long seed = SEED + i;
      byte[] json = JsonMutator.mutated(document, seed);
      long start = System.nanoTime();
      try {
        ModelConfig config = ModelConfig.parse("config.json", json);
        Architectures.of(config, names())
            .ifPresent(known -> assertThat(known.linears()).isNotEmpty());
      } catch (InputException e) {
        assertThat(e.getMessage()).as("seed %d", seed).hasSizeLessThan(3_000);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("Seed " + seed + " of " + family + " ended in " + e, e);
      }
      assertThat((System.nanoTime() - start) / 1e9)
          .as(
              "seconds for seed %d of %s: hours would be %s",
              seed, family, new String(json, java.nio.charset.StandardCharsets.UTF_8))
          .isLessThan(20);
    }
  }

  /** Those of a llama with two blocks. */
  private static Set<String> names() {
    Set<String> names =
        new LinkedHashSet<>(
            List.of("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"));
    for (int block = 0; block < 2; block++) {
      for (String name :
          List.of(
              "input_layernorm",
              "post_attention_layernorm",
              "self_attn.q_proj",
              "self_attn.k_proj",
              "self_attn.v_proj",
              "self_attn.o_proj",
              "mlp.gate_proj",
              "mlp.up_proj",
              "mlp.down_proj")) {
        names.add("model.layers.%d.%s.weight".formatted(block, name));
      }
    }
    return names;
  }
}
