package io.shardpress.operators.model;

import io.shardpress.common.checkpoint.ModelConfig;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Small llama-like checkpoints with random weights. */
public final class TinyModels {
  static final int HIDDEN = 24;
  static final int HEADS = 4;
  static final int KEY_VALUE_HEADS = 2;
  static final int HEAD_SIZE = 6;
  static final int WIDTH = 40;
  static final int VOCABULARY = 50;
  static final int BLOCKS = 2;

  private TinyModels() {}

  /** A configuration with llama's keys and more, given as JSON members. */
  public static ModelConfig config(String modelType, String... members) {
    String json =
        """
        {"model_type": "%s", "hidden_size": %d, "num_attention_heads": %d,
         "num_key_value_heads": %d, "head_dim": %d, "intermediate_size": %d, "vocab_size": %d,
         "num_hidden_layers": %d, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
         "rope_theta": 10000.0%s}
        """
            .formatted(
                modelType,
                HIDDEN,
                HEADS,
                KEY_VALUE_HEADS,
                HEAD_SIZE,
                WIDTH,
                VOCABULARY,
                BLOCKS,
                members.length == 0 ? "" : ", " + String.join(", ", members));
    return ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }

  /** Embedding, norms, attention and head of a llama; blocks have no network yet. */
  public static TinyWeights attentionOnly(long seed) {
    TinyWeights weights =
        new TinyWeights(seed)
            .matrix("model.embed_tokens.weight", VOCABULARY, HIDDEN)
            .vector("model.norm.weight", HIDDEN, 1)
            .matrix("lm_head.weight", VOCABULARY, HIDDEN);
    for (int block = 0; block < BLOCKS; block++) {
      weights
          .vector(layer(block, "input_layernorm.weight"), HIDDEN, 1)
          .vector(layer(block, "post_attention_layernorm.weight"), HIDDEN, 1)
          .matrix(layer(block, "self_attn.q_proj.weight"), HEADS * HEAD_SIZE, HIDDEN)
          .matrix(layer(block, "self_attn.k_proj.weight"), KEY_VALUE_HEADS * HEAD_SIZE, HIDDEN)
          .matrix(layer(block, "self_attn.v_proj.weight"), KEY_VALUE_HEADS * HEAD_SIZE, HIDDEN)
          .matrix(layer(block, "self_attn.o_proj.weight"), HIDDEN, HEADS * HEAD_SIZE);
    }
    return weights;
  }

  /** A whole llama. */
  public static TinyWeights llama(long seed) {
    TinyWeights weights = attentionOnly(seed);
    for (int block = 0; block < BLOCKS; block++) {
      gated(weights, layer(block, "mlp"), WIDTH, "gate_proj", "up_proj", "down_proj");
    }
    return weights;
  }

  /** Adds a gated network. */
  public static void gated(
      TinyWeights weights, String path, int width, String gate, String up, String down) {
    weights
        .matrix("%s.%s.weight".formatted(path, gate), width, HIDDEN)
        .matrix("%s.%s.weight".formatted(path, up), width, HIDDEN)
        .matrix("%s.%s.weight".formatted(path, down), HIDDEN, width);
  }

  public static String layer(int block, String name) {
    return String.format(Locale.ROOT, "model.layers.%d.%s", block, name);
  }

  /** The architecture of a configuration over these weights. */
  public static Architecture architecture(ModelConfig config, TinyWeights weights) {
    return Architectures.of(config, weights.tensors().keySet()).orElseThrow();
  }
}
