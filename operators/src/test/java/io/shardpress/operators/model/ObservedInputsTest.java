package io.shardpress.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class ObservedInputsTest {
  private static final int TOKENS = 12;

  @Test
  void linears_of_a_llama_block() {
    Architecture model = TinyModels.architecture(TinyModels.config("llama"), TinyModels.llama(1));
    assertThat(model.linears(1))
        .extracting(LinearModule::name, LinearModule::out, LinearModule::in, LinearModule::input)
        .containsExactly(
            row("self_attn.q_proj", 24, 24, "self_attn.qkv_input"),
            row("self_attn.k_proj", 12, 24, "self_attn.qkv_input"),
            row("self_attn.v_proj", 12, 24, "self_attn.qkv_input"),
            row("self_attn.o_proj", 24, 24, "self_attn.o_proj_input"),
            row("mlp.gate_proj", 40, 24, "mlp.gate_up_input"),
            row("mlp.up_proj", 40, 24, "mlp.gate_up_input"),
            row("mlp.down_proj", 24, 40, "mlp.down_proj_input"));
    assertThat(model.linears(1))
        .extracting(LinearModule::role)
        .containsExactly(
            Role.ATTENTION,
            Role.ATTENTION,
            Role.ATTENTION,
            Role.ATTENTION,
            Role.MLP,
            Role.MLP,
            Role.MLP);
  }

  @Test
  void all_linears_end_with_the_head() {
    Architecture model = TinyModels.architecture(TinyModels.config("llama"), TinyModels.llama(1));
    assertThat(model.linears()).hasSize(15);
    assertThat(model.linears().get(14).name()).isEqualTo("lm_head");
    assertThat(model.linears().get(14).role()).isEqualTo(Role.HEAD);
  }

  @Test
  void a_tied_head_is_not_a_linear() {
    TinyWeights weights = TinyModels.llama(1);
    weights.tensors().remove("lm_head.weight");
    ModelConfig config = TinyModels.config("llama", "\"tie_word_embeddings\": true");
    assertThat(TinyModels.architecture(config, weights).linears()).hasSize(14);
  }

  @Test
  void llama_observes_each_shared_input_once() {
    TinyWeights weights = TinyModels.llama(2);
    Architecture model = TinyModels.architecture(TinyModels.config("llama"), weights);
    Map<String, Integer> tokens = observe(model, weights);
    assertThat(tokens.keySet()).containsExactlyElementsOf(inputs(model).keySet());
    assertThat(tokens.values()).containsOnly(TOKENS);
  }

  @Test
  void experts_observe_the_tokens_routed_to_them() {
    TinyWeights weights = TinyModels.attentionOnly(3);
    for (int block = 0; block < TinyModels.BLOCKS; block++) {
      weights.matrix(TinyModels.layer(block, "block_sparse_moe.gate.weight"), 16, 24);
      for (int expert = 0; expert < 16; expert++) {
        String path = TinyModels.layer(block, "block_sparse_moe.experts." + expert);
        TinyModels.gated(weights, path, TinyModels.WIDTH, "w1", "w3", "w2");
      }
    }
    ModelConfig config =
        TinyModels.config("mixtral", "\"num_local_experts\": 16", "\"num_experts_per_tok\": 1");
    Architecture model = TinyModels.architecture(config, weights);
    Map<String, Integer> tokens = observe(model, weights);

    assertThat(inputs(model).keySet()).containsAll(tokens.keySet());
    int routed = 0;
    int visited = 0;
    for (int expert = 0; expert < 16; expert++) {
      String path = "model.layers.0.block_sparse_moe.experts." + expert;
      Integer own = tokens.get(path + ".gate_up_input");
      assertThat(tokens.get(path + ".w2_input")).isEqualTo(own);
      if (own != null) {
        routed += own;
        visited++;
      }
    }
    assertThat(routed).isEqualTo(TOKENS);
    assertThat(visited).as("experts without tokens are not observed").isBetween(1, TOKENS);
    assertThat(tokens).containsEntry("model.layers.0.block_sparse_moe.router_input", TOKENS);
    assertThat(model.linears(0).get(4).role()).isEqualTo(Role.ROUTER);
    assertThat(model.linears(0).get(5).expert()).hasValue(0);
  }

  @Test
  void a_shared_expert_reads_what_the_router_reads() {
    TinyWeights weights = TinyModels.attentionOnly(4);
    for (int block = 0; block < TinyModels.BLOCKS; block++) {
      for (String linear : List.of("q_proj", "k_proj", "v_proj")) {
        int out = linear.equals("q_proj") ? 24 : 12;
        weights.vector(TinyModels.layer(block, "self_attn." + linear + ".bias"), out, 0);
      }
      addQwenExperts(weights, TinyModels.layer(block, "mlp"));
    }
    ModelConfig config =
        TinyModels.config(
            "qwen2_moe",
            "\"num_experts\": 2",
            "\"num_experts_per_tok\": 2",
            "\"moe_intermediate_size\": 8",
            "\"shared_expert_intermediate_size\": 16");
    Architecture model = TinyModels.architecture(config, weights);
    Map<String, Integer> tokens = observe(model, weights);
    assertThat(tokens.keySet()).containsExactlyInAnyOrderElementsOf(inputs(model).keySet());
    assertThat(
            model.linears(0).stream()
                .filter(linear -> linear.input().equals("model.layers.0.mlp.router_input"))
                .map(LinearModule::name))
        .containsExactly(
            "model.layers.0.mlp.gate",
            "model.layers.0.mlp.shared_expert.gate_proj",
            "model.layers.0.mlp.shared_expert.up_proj",
            "model.layers.0.mlp.shared_expert_gate");
  }

  private static void addQwenExperts(TinyWeights weights, String path) {
    weights.matrix(path + ".gate.weight", 2, 24);
    weights.matrix(path + ".shared_expert_gate.weight", 1, 24);
    TinyModels.gated(weights, path + ".experts.0", 8, "gate_proj", "up_proj", "down_proj");
    TinyModels.gated(weights, path + ".experts.1", 8, "gate_proj", "up_proj", "down_proj");
    TinyModels.gated(weights, path + ".shared_expert", 16, "gate_proj", "up_proj", "down_proj");
  }

  /** Runs block 0; tokens by observed id, in the order of observation. */
  private static Map<String, Integer> observe(Architecture model, TinyWeights weights) {
    Map<String, Long> widths = inputs(model);
    Map<String, Integer> tokens = new LinkedHashMap<>();
    long[] ids = new Random(5).longs(TOKENS, 0, TinyModels.VOCABULARY).toArray();
    TensorMap source = weights.source();
    try (INDArray x = model.embed(ids, TOKENS / 2, source)) {
      model.block(
          0,
          x,
          TOKENS / 2,
          source,
          (input, seen) -> {
            assertThat(tokens.put(input, Floats.rows(seen)))
                .as("earlier observation of %s", input)
                .isNull();
            assertThat(widths).containsEntry(input, seen.size(1));
          });
    }
    return tokens;
  }

  /** Widths of the inputs of block 0 by id, in the order the linears run. */
  private static Map<String, Long> inputs(Architecture model) {
    return model.linears(0).stream()
        .collect(
            Collectors.toMap(
                LinearModule::input, LinearModule::in, (a, b) -> a, LinkedHashMap::new));
  }

  private static Tuple row(String name, long out, long in, String input) {
    return tuple("model.layers.1." + name, out, in, "model.layers.1." + input);
  }
}
