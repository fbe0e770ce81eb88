package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.model.description.RotaryScaling;
import io.shardpress.operators.model.description.RotarySpec;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Reads rotary embeddings: {@code rope_parameters}, or {@code rope_theta} and {@code rope_scaling}
 * of configurations before transformers 5.
 */
final class RotaryConfig {
  private final ModelConfig config;
  private final ModelConfig rope;

  private RotaryConfig(ModelConfig config) {
    this.config = config;
    this.rope = config.rope();
  }

  /** Rotation of whole heads. */
  static RotarySpec whole(ModelConfig config, int headSize) {
    return partial(config, headSize, 1, 1);
  }

  /** Rotation of the share of a head that config.json gives. */
  static RotarySpec partial(ModelConfig config, int headSize, double defaultShare) {
    return partial(config, headSize, defaultShare, 0);
  }

  private static RotarySpec partial(
      ModelConfig config, int headSize, double defaultShare, double leastShare) {
    RotaryConfig reader = new RotaryConfig(config);
    double share = reader.share(defaultShare);
    int dimensions = (int) (headSize * share);
    if (share < leastShare || share > 1 || dimensions < 2 || dimensions % 2 != 0) {
      throw new InputException(
          ("config.json (model_type %s) rotates a share of %s of heads of size %d, which is not"
                  + " supported. Check partial_rotary_factor and head_dim.")
              .formatted(config.modelType(), share, headSize));
    }
    double theta = config.ropeTheta().orElse(10000);
    return new RotarySpec(dimensions, theta, reader.scaling(dimensions));
  }

  private double share(double defaultShare) {
    double ofConfig =
        config.number("partial_rotary_factor", config.number("rotary_pct", defaultShare));
    return rope.number("partial_rotary_factor", ofConfig);
  }

  private RotaryScaling scaling(int dimensions) {
    String type = rope.text("rope_type", rope.text("type", "default"));
    return switch (type) {
      case "default" -> new RotaryScaling.Unscaled();
      case "linear" -> new RotaryScaling.Linear(positive("factor"));
      case "llama3" ->
          new RotaryScaling.Llama3(
              positive("factor"),
              positive("low_freq_factor"),
              positive("high_freq_factor"),
              positive("original_max_position_embeddings"));
      case "yarn" -> yarn();
      case "longrope", "su" -> longRope(dimensions / 2);
      default ->
          throw new InputException(
              ("config.json (model_type %s) asks for rope_type \"%s\", which is not supported."
                   + " Supported: default, linear, llama3, yarn, longrope. Data-free methods work"
                   + " without a forward pass.")
                  .formatted(config.modelType(), type));
    };
  }

  private RotaryScaling yarn() {
    for (String key : List.of("mscale", "mscale_all_dim", "truncate")) {
      if (rope.has(key)) {
        throw new InputException(
            ("config.json (model_type %s) sets \"%s\" for yarn, which is not supported for this"
                    + " model type. Data-free methods work without a forward pass.")
                .formatted(config.modelType(), key));
      }
    }
    double factor = positive("factor");
    return new RotaryScaling.Yarn(
        factor,
        rope.number("beta_fast", 32),
        rope.number("beta_slow", 1),
        trainedLength(),
        rope.number("attention_factor", 0.1 * Math.log(factor) + 1));
  }

  private RotaryScaling longRope(int pairs) {
    List<Double> shortFactors = factors("short_factor", pairs);
    List<Double> longFactors = factors("long_factor", pairs);
    double trained = trainedLength();
    double given = rope.number("factor", 1);
    double stretch = hasTrainedLength() ? contextLength() / trained : given;
    double attention = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(trained));
    return new RotaryScaling.LongRope(
        shortFactors, longFactors, trained, rope.number("attention_factor", attention));
  }

  private List<Double> factors(String key, int pairs) {
    List<Double> factors = rope.numbers(key);
    if (factors.size() != pairs || factors.stream().anyMatch(factor -> factor <= 0)) {
      throw new InputException(
          "config.json needs %d positive numbers in \"%s\" of its rotary settings, found %s."
              .formatted(pairs, key, factors));
    }
    return factors;
  }

  private boolean hasTrainedLength() {
    String key = "original_max_position_embeddings";
    return rope.has(key) || config.has(key);
  }

  private double trainedLength() {
    String key = "original_max_position_embeddings";
    return rope.number(key, config.number(key, contextLength()));
  }

  private double contextLength() {
    return config.integer("max_position_embeddings");
  }

  private double positive(String key) {
    OptionalDouble value = rope.optionalNumber(key);
    if (value.isEmpty() || !(value.getAsDouble() > 0)) {
      throw new InputException(
          ("config.json (model_type %s) needs a positive \"%s\" in its rotary settings, found %s."
                  + " Correct rope_parameters or rope_scaling.")
              .formatted(config.modelType(), key, value.isEmpty() ? "none" : value.getAsDouble()));
    }
    return value.getAsDouble();
  }
}
