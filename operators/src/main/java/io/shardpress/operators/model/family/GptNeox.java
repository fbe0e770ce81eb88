package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.ActivationNames;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.EmbeddingSpec;
import io.shardpress.operators.model.description.HeadShape;
import io.shardpress.operators.model.description.HeadSpec;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import io.shardpress.operators.model.description.QkvSource;
import io.shardpress.operators.model.description.ResidualSpec;
import io.shardpress.operators.model.family.TensorNames.Tying;

/** GPT-NeoX and Pythia (Black et al., 2022): qkv per head, partly rotated, parallel residuals. */
final class GptNeox implements Family {

  @Override
  public String modelType() {
    return "gpt_neox";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    String prefix = tensors.prefix("embed_in.weight", "gpt_neox.", "");
    return new Reader(config, tensors, prefix).describe();
  }

  private record Reader(ModelConfig config, TensorNames tensors, String prefix) {

    DecoderDescription describe() {
      return new DecoderDescription(
          config.modelType(),
          hidden(),
          config.integer("vocab_size"),
          config.integer("max_position_embeddings"),
          EmbeddingSpec.of(prefix + "embed_in.weight"),
          tensors.blocks(config.integer("num_hidden_layers"), this::block),
          head());
    }

    private HeadSpec head() {
      LinearSpec own = LinearSpec.of("embed_out", hidden(), config.integer("vocab_size"));
      Tying tying = config.flag("tie_word_embeddings", false) ? Tying.TIED : Tying.SEPARATE;
      NormSpec norm = norm(prefix + "final_layer_norm");
      return tensors.head(norm, own, prefix + "embed_in.weight", tying);
    }

    private BlockSpec block(int block) {
      String layer = prefix + "layers." + block + ".";
      int inner = config.integer("intermediate_size");
      NormSpec first = norm(layer + "input_layernorm");
      NormSpec second = norm(layer + "post_attention_layernorm");
      return new BlockSpec(
          attention(layer + "attention."),
          new MlpSpec.Plain(
              LinearSpec.of(layer + "mlp.dense_h_to_4h", hidden(), inner).withBias(),
              LinearSpec.of(layer + "mlp.dense_4h_to_h", inner, hidden()).withBias(),
              ActivationNames.parse(config.text("hidden_act", "gelu"))),
          config.flag("use_parallel_residual", true)
              ? new ResidualSpec.Parallel(first, second)
              : new ResidualSpec.PreNorm(first, second));
    }

    private AttentionSpec attention(String path) {
      int heads = config.integer("num_attention_heads");
      HeadShape shape = new HeadShape(heads, heads, hidden() / heads);
      LinearSpec qkv = linear(path + "query_key_value", 3 * hidden());
      return AttentionSpec.of(shape, new QkvSource.PerHead(qkv), linear(path + "dense", hidden()))
          .withRotary(RotaryConfig.partial(config, shape.headSize(), 0.25));
    }

    private LinearSpec linear(String module, int out) {
      LinearSpec linear = LinearSpec.of(module, hidden(), out);
      return config.flag("attention_bias", true) ? linear.withBias() : linear;
    }

    private NormSpec norm(String module) {
      return new NormSpec(module, NormSpec.Kind.LAYER, config.number("layer_norm_eps", 1e-5));
    }

    private int hidden() {
      return config.integer("hidden_size");
    }
  }
}
