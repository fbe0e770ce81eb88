package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The families that can be described. */
public final class Families {
  private static final List<Family> ALL =
      List.of(
          new Llama(),
          new Mistral(),
          new Qwen2(),
          new Qwen3(),
          new Phi3(),
          new Gemma2(),
          new Mixtral(),
          new Qwen2Moe(),
          new Qwen3Moe(),
          new Opt(),
          new Gpt2(),
          new GptNeox());

  private Families() {}

  /** Model types with a description. */
  public static List<String> modelTypes() {
    return ALL.stream().map(Family::modelType).toList();
  }

  /**
   * The description of a checkpoint; empty when its model type is unknown.
   *
   * @param tensorNames all tensors of the checkpoint
   * @throws io.shardpress.common.error.InputException if the family is known, but the configuration
   *     asks for something unsupported or does not fit the tensors
   */
  public static Optional<DecoderDescription> describe(ModelConfig config, Set<String> tensorNames) {
    TensorNames tensors = new TensorNames(tensorNames);
    return ALL.stream()
        .filter(family -> family.modelType().equals(config.modelType()))
        .findFirst()
        .map(family -> tensors.checked(description(family, config, tensors)));
  }

  /** Descriptions refuse numbers that make no model; here they come from config.json. */
  private static DecoderDescription description(
      Family family, ModelConfig config, TensorNames tensors) {
    try {
      return family.describe(config, tensors);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new InputException(
          "config.json (model_type %s) describes no possible model: %s. Correct it, or download the model again."
              .formatted(family.modelType(), Printable.excerpt(String.valueOf(e.getMessage()))),
          e);
    }
  }
}
