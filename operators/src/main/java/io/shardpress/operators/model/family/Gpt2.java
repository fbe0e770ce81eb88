package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
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

/** GPT-2 (Radford et al., 2019): weights are Conv1D, stored {@code [in, out]}. */
final class Gpt2 implements Family {

  @Override
  public String modelType() {
    return "gpt2";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    if (config.flag("add_cross_attention", false)) {
      throw new InputException(
          "config.json (model_type gpt2) sets add_cross_attention; only decoders without an"
              + " encoder run forward.");
    }
    String prefix = tensors.prefix("wte.weight", "transformer.", "");
    return new Reader(config, tensors, prefix).describe();
  }

  private record Reader(ModelConfig config, TensorNames tensors, String prefix) {

    DecoderDescription describe() {
      return new DecoderDescription(
          config.modelType(),
          hidden(),
          config.integer("vocab_size"),
          config.integer("n_positions", 1024),
          EmbeddingSpec.of(prefix + "wte.weight")
              .withPositions(new EmbeddingSpec.Positions(prefix + "wpe.weight", 0)),
          tensors.blocks(config.integer("n_layer"), this::block),
          head());
    }

    private HeadSpec head() {
      LinearSpec own = LinearSpec.of("lm_head", hidden(), config.integer("vocab_size"));
      Tying tying = config.flag("tie_word_embeddings", true) ? Tying.TIED : Tying.SEPARATE;
      return tensors.head(norm(prefix + "ln_f"), own, prefix + "wte.weight", tying);
    }

    private BlockSpec block(int block) {
      String layer = prefix + "h." + block + ".";
      int inner = config.optionalInteger("n_inner").orElse(4 * hidden());
      return new BlockSpec(
          attention(layer, block),
          new MlpSpec.Plain(
              LinearSpec.conv1d(layer + "mlp.c_fc", hidden(), inner),
              LinearSpec.conv1d(layer + "mlp.c_proj", inner, hidden()),
              ActivationNames.parse(config.text("activation_function", "gelu_new"))),
          new ResidualSpec.PreNorm(norm(layer + "ln_1"), norm(layer + "ln_2")));
    }

    private AttentionSpec attention(String layer, int block) {
      int heads = config.integer("n_head");
      HeadShape shape = new HeadShape(heads, heads, hidden() / heads);
      LinearSpec qkv = LinearSpec.conv1d(layer + "attn.c_attn", hidden(), 3L * hidden());
      LinearSpec output = LinearSpec.conv1d(layer + "attn.c_proj", hidden(), hidden());
      double bySize = config.flag("scale_attn_weights", true) ? 1 / Math.sqrt(shape.headSize()) : 1;
      double byDepth =
          config.flag("scale_attn_by_inverse_layer_idx", false) ? 1.0 / (block + 1) : 1;
      return AttentionSpec.of(shape, new QkvSource.Concatenated(qkv), output)
          .withScale(bySize * byDepth);
    }

    private NormSpec norm(String module) {
      return new NormSpec(module, NormSpec.Kind.LAYER, config.number("layer_norm_epsilon", 1e-5));
    }

    private int hidden() {
      return config.integer("n_embd");
    }
  }
}
