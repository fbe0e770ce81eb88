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
import java.util.Optional;

/** OPT (Zhang et al., 2022). The 350M model normalizes behind the residuals and projects. */
final class Opt implements Family {

  @Override
  public String modelType() {
    return "opt";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    if (!config.flag("layer_norm_elementwise_affine", true)) {
      throw new InputException(
          "config.json (model_type opt) sets layer_norm_elementwise_affine to false; norms without"
              + " weights are not supported.");
    }
    return new Reader(
            config, tensors, tensors.prefix("embed_tokens.weight", "model.decoder.", "decoder."))
        .describe();
  }

  private record Reader(ModelConfig config, TensorNames tensors, String prefix) {

    DecoderDescription describe() {
      return new DecoderDescription(
          config.modelType(),
          hidden(),
          config.integer("vocab_size"),
          config.integer("max_position_embeddings"),
          embedding(),
          tensors.blocks(config.integer("num_hidden_layers"), this::block),
          head());
    }

    /** The table of positions begins with two rows that no token uses. */
    private EmbeddingSpec embedding() {
      return EmbeddingSpec.of(prefix + "embed_tokens.weight")
          .withProject(project("project_in", width(), hidden()))
          .withPositions(new EmbeddingSpec.Positions(prefix + "embed_positions.weight", 2));
    }

    private HeadSpec head() {
      Optional<NormSpec> norm =
          isPreNorm() && !config.flag("_remove_final_layer_norm", false)
              ? Optional.of(norm(prefix + "final_layer_norm"))
              : Optional.empty();
      LinearSpec own = LinearSpec.of("lm_head", width(), config.integer("vocab_size"));
      Tying tying = config.flag("tie_word_embeddings", true) ? Tying.TIED : Tying.SEPARATE;
      return tensors
          .head(norm, own, prefix + "embed_tokens.weight", tying)
          .withProject(project("project_out", hidden(), width()));
    }

    private BlockSpec block(int block) {
      String layer = prefix + "layers." + block + ".";
      NormSpec first = norm(layer + "self_attn_layer_norm");
      NormSpec second = norm(layer + "final_layer_norm");
      MlpSpec mlp =
          new MlpSpec.Plain(
              linear(layer + "fc1", hidden(), config.integer("ffn_dim")),
              linear(layer + "fc2", config.integer("ffn_dim"), hidden()),
              ActivationNames.parse(config.text("activation_function", "relu")));
      return new BlockSpec(
          attention(layer + "self_attn."),
          mlp,
          isPreNorm()
              ? new ResidualSpec.PreNorm(first, second)
              : new ResidualSpec.PostNorm(first, second));
    }

    private AttentionSpec attention(String path) {
      int heads = config.integer("num_attention_heads");
      QkvSource qkv =
          new QkvSource.Separate(
              linear(path + "q_proj", hidden(), hidden()),
              linear(path + "k_proj", hidden(), hidden()),
              linear(path + "v_proj", hidden(), hidden()));
      return AttentionSpec.of(
          new HeadShape(heads, heads, hidden() / heads),
          qkv,
          linear(path + "out_proj", hidden(), hidden()));
    }

    private LinearSpec linear(String module, int in, int out) {
      LinearSpec linear = LinearSpec.of(module, in, out);
      return config.flag("enable_bias", true) ? linear.withBias() : linear;
    }

    private Optional<LinearSpec> project(String name, int in, int out) {
      return in == out ? Optional.empty() : Optional.of(LinearSpec.of(prefix + name, in, out));
    }

    private NormSpec norm(String module) {
      return new NormSpec(module, NormSpec.Kind.LAYER, 1e-5);
    }

    private boolean isPreNorm() {
      return config.flag("do_layer_norm_before", true);
    }

    private int hidden() {
      return config.integer("hidden_size");
    }

    private int width() {
      return config.integer("word_embed_proj_dim", hidden());
    }
  }
}
