package io.shardpress.operators.model.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.model.TinyModels;
import io.shardpress.operators.model.TinyWeights;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.ExpertsSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.ResidualSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FamiliesTest {
  private static final TinyWeights LLAMA = TinyModels.llama(1);

  @Test
  void an_unknown_model_type_has_no_description() {
    assertThat(Families.describe(TinyModels.config("mamba"), Set.of())).isEmpty();
  }

  @Test
  void refuses_an_unknown_activation() {
    assertRefused(
        TinyModels.config("llama", "\"hidden_act\": \"xielu\""),
        LLAMA.tensors().keySet(),
        "asks for the activation \"xielu\", which is not supported");
  }

  @Test
  void refuses_missing_tensors() {
    Set<String> names = new TreeSet<>(LLAMA.tensors().keySet());
    names.remove("model.layers.1.mlp.up_proj.weight");
    assertRefused(
        TinyModels.config("llama"),
        names,
        "lacks 1 tensors that its config.json (model_type llama) describes, the first is"
            + " model.layers.1.mlp.up_proj.weight");
  }

  @Test
  void refuses_more_blocks_than_tensors() {
    assertRefused(
        config(
            """
            {"model_type": "llama", "hidden_size": 24, "num_attention_heads": 4,
             "intermediate_size": 40, "vocab_size": 32, "num_hidden_layers": 2000000000,
             "max_position_embeddings": 512, "rms_norm_eps": 1e-5}
            """),
        LLAMA.tensors().keySet(),
        "describes 2000000000 blocks, but the checkpoint has only %d tensors. The download is incomplete"
            .formatted(LLAMA.tensors().size()));
  }

  @ParameterizedTest
  @CsvSource({
    "mixtral, num_local_experts, block_sparse_moe",
    "qwen2_moe, num_experts, mlp",
    "qwen3_moe, num_experts, mlp"
  })
  void refuses_more_experts_than_tensors(String family, String count, String module) {
    assertRefused(
        TinyModels.config(
            family,
            "\"%s\": 2000000000".formatted(count),
            "\"num_experts_per_tok\": 2",
            "\"moe_intermediate_size\": 8",
            "\"shared_expert_intermediate_size\": 8"),
        LLAMA.tensors().keySet(),
        "describes 2000000000 experts, but the checkpoint has only 0 tensors under model.layers.0.%s.experts."
            .formatted(module));
  }

  @Test
  void refuses_a_bias_that_the_configuration_leaves_out() {
    Set<String> names = new TreeSet<>(LLAMA.tensors().keySet());
    names.add("model.layers.0.self_attn.q_proj.bias");
    assertRefused(
        TinyModels.config("llama"),
        names,
        "describes model.layers.0.self_attn.q_proj without a bias");
  }

  @Test
  void refuses_more_blocks_than_the_configuration_has() {
    Set<String> names = new TreeSet<>(LLAMA.tensors().keySet());
    names.add("model.layers.2.mlp.up_proj.weight");
    assertRefused(
        TinyModels.config("llama"),
        names,
        "has the tensor model.layers.2.mlp.up_proj.weight, but its config.json (model_type llama)"
            + " describes only 2 blocks");
  }

  @Test
  void refuses_weights_of_something_else() {
    assertRefused(
        TinyModels.config("llama"),
        Set.of("encoder.weight"),
        "has no tensor model.embed_tokens.weight");
  }

  @Test
  void refuses_heads_that_do_not_divide() {
    assertRefused(
        config(
            """
            {"model_type": "llama", "hidden_size": 24, "num_attention_heads": 4,
             "num_key_value_heads": 3}
            """),
        LLAMA.tensors().keySet(),
        "gives 4 query heads, 3 key-value heads and head size 6");
  }

  @Test
  void a_checkpoint_may_lack_the_prefix_of_its_base_model() {
    Set<String> names = new TreeSet<>();
    LLAMA.tensors().keySet().forEach(name -> names.add(name.replaceFirst("^model\\.", "")));
    assertThat(describe(TinyModels.config("llama"), names).embedding().table())
        .isEqualTo("embed_tokens.weight");
  }

  @Test
  void mistral_has_a_window_in_all_blocks() {
    assertThat(windows("mistral", "\"sliding_window\": 7")).containsExactly(7, 7);
    assertThat(windows("mistral", "\"sliding_window\": null")).containsExactly(0, 0);
    assertThat(windows("mistral")).containsExactly(4096, 4096);
  }

  @Test
  void layer_types_decide_where_they_are_given() {
    String types = "\"layer_types\": [\"full_attention\", \"sliding_attention\"]";
    assertThat(windows("mistral", "\"sliding_window\": 7", types)).containsExactly(0, 7);
  }

  @Test
  void refuses_unknown_layer_types() {
    String types = "\"layer_types\": [\"full_attention\", \"chunked_attention\"]";
    assertRefused(
        TinyModels.config("mistral", types),
        LLAMA.tensors().keySet(),
        "calls layer 1 \"chunked_attention\", which is not supported");
  }

  @Test
  void refuses_a_sliding_layer_without_a_window() {
    String types = "\"layer_types\": [\"sliding_attention\", \"full_attention\"]";
    assertRefused(
        TinyModels.config("mistral", "\"sliding_window\": null", types),
        LLAMA.tensors().keySet(),
        "calls layer 0 \"sliding_attention\", but sets no sliding_window");
  }

  @Test
  void qwen2_has_windows_from_a_layer_on_and_only_when_used() {
    String window = "\"sliding_window\": 7, \"max_window_layers\": 1";
    assertThat(windows("qwen2", window)).containsExactly(0, 0);
    assertThat(windows("qwen2", window, "\"use_sliding_window\": true")).containsExactly(0, 7);
  }

  @Test
  void qwen_experts_leave_listed_and_sparse_layers_dense() {
    assertThat(expertBlocks("\"mlp_only_layers\": [0]")).containsExactly(false, true);
    assertThat(expertBlocks("\"decoder_sparse_step\": 2")).containsExactly(false, true);
    assertThat(expertBlocks("\"decoder_sparse_step\": 1")).containsExactly(true, true);
  }

  @Test
  void gemma2_rounds_the_embedding_scale_to_the_weight_type() {
    // sqrt(24) = 4.8990, its nearest BF16 is 4.90625
    assertThat(gemma2("\"dtype\": \"bfloat16\"").embedding().scale()).isEqualTo(4.90625);
    assertThat(gemma2("\"dtype\": \"float32\"").embedding().scale())
        .isEqualTo((float) Math.sqrt(24));
  }

  @Test
  void gemma2_has_a_window_in_every_other_block_and_caps_unless_null() {
    DecoderDescription gemma = gemma2("\"final_logit_softcapping\": null");
    assertThat(gemma.blocks().get(0).attention().window()).hasValue(4096);
    assertThat(gemma.blocks().get(1).attention().window()).isEmpty();
    assertThat(gemma.blocks().get(1).attention().softCap()).hasValue(50);
    assertThat(gemma.blocks().get(1).attention().scale()).isEqualTo(1 / 16.0);
    assertThat(gemma.head().softCap()).isEmpty();
  }

  @Test
  void refuses_gemma2_that_looks_ahead() {
    assertRefused(
        TinyModels.config("gemma2", "\"use_bidirectional_attention\": true"),
        LLAMA.tensors().keySet(),
        "sets use_bidirectional_attention, which is not supported");
  }

  @Test
  void opt_350m_normalizes_behind_residuals_and_projects() {
    DecoderDescription opt =
        describe(
            new Opt(),
            config(
                """
                {"model_type": "opt", "hidden_size": 8, "word_embed_proj_dim": 4, "ffn_dim": 16,
                 "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 10,
                 "max_position_embeddings": 32, "do_layer_norm_before": false}
                """),
            "decoder.embed_tokens.weight");
    assertThat(opt.blocks().get(0).residual()).isInstanceOf(ResidualSpec.PostNorm.class);
    assertThat(opt.head().norm()).isEmpty();
    assertThat(opt.tensors())
        .contains("decoder.project_in.weight", "decoder.project_out.weight")
        .doesNotContain("decoder.final_layer_norm.weight");
    assertThat(opt.embedding().positions().orElseThrow().offset()).isEqualTo(2);
  }

  @Test
  void refuses_opt_without_norm_weights() {
    assertRefused(
        config("{\"model_type\": \"opt\", \"layer_norm_elementwise_affine\": false}"),
        Set.of(),
        "sets layer_norm_elementwise_affine to false");
  }

  @Test
  void gpt2_may_lack_its_prefix_and_scales_scores_as_configured() {
    DecoderDescription gpt2 =
        describe(
            new Gpt2(),
            config(
                """
                {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 2, "vocab_size": 10,
                 "scale_attn_by_inverse_layer_idx": true}
                """),
            "wte.weight");
    assertThat(gpt2.blocks().get(0).attention().scale()).isEqualTo(0.5);
    assertThat(gpt2.blocks().get(1).attention().scale()).isEqualTo(0.25);
    assertThat(gpt2.tensors()).contains("h.1.mlp.c_fc.bias", "wpe.weight");
    MlpSpec mlp = (MlpSpec) gpt2.blocks().get(0).feedForward();
    assertThat(mlp.down().in()).isEqualTo(32);
  }

  @Test
  void gpt_neox_may_run_its_halves_one_after_the_other() {
    String json =
        """
        {"model_type": "gpt_neox", "hidden_size": 16, "num_attention_heads": 2,
         "num_hidden_layers": 1, "intermediate_size": 32, "vocab_size": 10,
         "max_position_embeddings": 32, "use_parallel_residual": %s}
        """;
    assertThat(neoxResidual(json.formatted("false"))).isInstanceOf(ResidualSpec.PreNorm.class);
    assertThat(neoxResidual(json.formatted("true"))).isInstanceOf(ResidualSpec.Parallel.class);
  }

  private static ResidualSpec neoxResidual(String json) {
    return describe(new GptNeox(), config(json), "gpt_neox.embed_in.weight")
        .blocks()
        .get(0)
        .residual();
  }

  private static DecoderDescription gemma2(String member) {
    return describe(new Gemma2(), TinyModels.config("gemma2", member), "model.embed_tokens.weight");
  }

  /** Window per block; 0 for none. */
  private static List<Integer> windows(String modelType, String... members) {
    Family family = modelType.equals("qwen2") ? new Qwen2() : new Mistral();
    ModelConfig config = TinyModels.config(modelType, members);
    List<Integer> windows = new ArrayList<>();
    for (BlockSpec block : describe(family, config, "model.embed_tokens.weight").blocks()) {
      OptionalInt window = block.attention().window();
      windows.add(window.orElse(0));
    }
    return windows;
  }

  private static List<Boolean> expertBlocks(String member) {
    ModelConfig config =
        TinyModels.config(
            "qwen3_moe",
            "\"num_local_experts\": 4",
            "\"num_experts_per_tok\": 2",
            "\"moe_intermediate_size\": 8",
            member);
    Set<String> names = new TreeSet<>(Set.of("model.embed_tokens.weight", "lm_head.weight"));
    for (int block = 0; block < 2; block++) {
      for (int expert = 0; expert < 4; expert++) {
        names.add("model.layers.%d.mlp.experts.%d.up_proj.weight".formatted(block, expert));
      }
    }
    return new Qwen3Moe()
        .describe(config, new TensorNames(names)).blocks().stream()
            .map(block -> block.feedForward() instanceof ExpertsSpec)
            .toList();
  }

  /** Describes without checking that all tensors are there. */
  private static DecoderDescription describe(Family family, ModelConfig config, String tensor) {
    return family.describe(config, new TensorNames(Set.of(tensor, "lm_head.weight")));
  }

  private static DecoderDescription describe(ModelConfig config, Set<String> names) {
    return Families.describe(config, names).orElseThrow();
  }

  private static void assertRefused(ModelConfig config, Set<String> names, String message) {
    assertThatThrownBy(() -> Families.describe(config, names))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  private static ModelConfig config(String json) {
    return ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
