package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.linalg.Activation;
import io.shardpress.operators.model.description.ActivationNames;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.AttentionSpec.HeadNorms;
import io.shardpress.operators.model.description.BlockSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import io.shardpress.operators.model.description.EmbeddingSpec;
import io.shardpress.operators.model.description.FeedForwardSpec;
import io.shardpress.operators.model.description.HeadShape;
import io.shardpress.operators.model.description.HeadSpec;
import io.shardpress.operators.model.description.LinearSpec;
import io.shardpress.operators.model.description.MlpSpec;
import io.shardpress.operators.model.description.NormSpec;
import io.shardpress.operators.model.description.QkvSource;
import io.shardpress.operators.model.description.ResidualSpec;
import io.shardpress.operators.model.family.TensorNames.Tying;
import java.util.OptionalInt;
import java.util.function.IntFunction;

/**
 * The parts that most families take from Llama: names, keys, pre-norm blocks with RMS norms,
 * grouped attention with rotary positions and a gated network. A family combines them with its own.
 */
record LlamaLike(ModelConfig config, TensorNames tensors, String prefix, HeadShape shape) {

  static LlamaLike of(ModelConfig config, TensorNames tensors) {
    int heads = config.integer("num_attention_heads");
    int headSize =
        config.optionalInteger("head_dim").orElseGet(() -> config.integer("hidden_size") / heads);
    HeadShape shape = new HeadShape(heads, config.integer("num_key_value_heads", heads), headSize);
    String prefix = tensors.prefix("embed_tokens.weight", "model.", "");
    return new LlamaLike(config, tensors, prefix, shape);
  }

  /** A model of these blocks. */
  DecoderDescription decoder(EmbeddingSpec embedding, IntFunction<BlockSpec> block, HeadSpec head) {
    return new DecoderDescription(
        config.modelType(),
        hidden(),
        vocabulary(),
        config.integer("max_position_embeddings"),
        embedding,
        tensors.blocks(config.integer("num_hidden_layers"), block),
        head);
  }

  /** A model of these blocks, with a plain embedding and a head that is not tied by default. */
  DecoderDescription decoder(IntFunction<BlockSpec> block) {
    return decoder(embedding(), block, head(Tying.SEPARATE));
  }

  EmbeddingSpec embedding() {
    return EmbeddingSpec.of(prefix + "embed_tokens.weight");
  }

  HeadSpec head(Tying defaultTying) {
    return head(norm(prefix + "norm"), defaultTying);
  }

  HeadSpec head(NormSpec norm, Tying defaultTying) {
    Tying tying =
        config.flag("tie_word_embeddings", defaultTying == Tying.TIED)
            ? Tying.TIED
            : Tying.SEPARATE;
    LinearSpec own = LinearSpec.of("lm_head", hidden(), vocabulary());
    return tensors.head(norm, own, embedding().table(), tying);
  }

  /** Attention with separate linears without biases and whole rotated heads. */
  AttentionSpec attention(int block) {
    return attention(block, separate(block)).withRotary(RotaryConfig.whole(config, headSize()));
  }

  AttentionSpec attention(int block, QkvSource qkv) {
    String output = module(block, "self_attn.o_proj");
    return AttentionSpec.of(shape, qkv, LinearSpec.of(output, shape.queryWidth(), hidden()));
  }

  QkvSource.Separate separate(int block) {
    return new QkvSource.Separate(
        LinearSpec.of(module(block, "self_attn.q_proj"), hidden(), shape.queryWidth()),
        LinearSpec.of(module(block, "self_attn.k_proj"), hidden(), shape.keyValueWidth()),
        LinearSpec.of(module(block, "self_attn.v_proj"), hidden(), shape.keyValueWidth()));
  }

  /** The same attention with biases on all four linears, where {@code attention_bias} asks so. */
  AttentionSpec withConfiguredBias(AttentionSpec attention) {
    if (!config.flag("attention_bias", false)) {
      return attention;
    }
    QkvSource.Separate qkv = (QkvSource.Separate) attention.qkv();
    return attention.withLinears(qkv.withBias(), attention.output().withBias());
  }

  HeadNorms headNorms(int block) {
    return new HeadNorms(
        norm(module(block, "self_attn.q_norm")), norm(module(block, "self_attn.k_norm")));
  }

  MlpSpec.Gated gatedMlp(int block) {
    return gated(module(block, "mlp"), config.integer("intermediate_size"));
  }

  MlpSpec.Gated gated(String path, int width) {
    return new MlpSpec.Gated(
        LinearSpec.of(path + ".gate_proj", hidden(), width),
        LinearSpec.of(path + ".up_proj", hidden(), width),
        LinearSpec.of(path + ".down_proj", width, hidden()),
        activation());
  }

  BlockSpec preNormBlock(int block, AttentionSpec attention, FeedForwardSpec feedForward) {
    return new BlockSpec(
        attention,
        feedForward,
        new ResidualSpec.PreNorm(
            norm(module(block, "input_layernorm")),
            norm(module(block, "post_attention_layernorm"))));
  }

  NormSpec norm(String module) {
    return new NormSpec(module, NormSpec.Kind.RMS, config.number("rms_norm_eps", 1e-6));
  }

  Activation activation() {
    return ActivationNames.parse(config.text("hidden_act", "silu"));
  }

  /** The window in config.json; none when null. */
  OptionalInt slidingWindow() {
    return config.optionalInteger("sliding_window");
  }

  String module(int block, String name) {
    return prefix + "layers." + block + "." + name;
  }

  int hidden() {
    return config.integer("hidden_size");
  }

  int vocabulary() {
    return config.integer("vocab_size");
  }

  int headSize() {
    return shape.headSize();
  }
}
