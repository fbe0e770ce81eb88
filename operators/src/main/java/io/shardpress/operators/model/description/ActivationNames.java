package io.shardpress.operators.model.description;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Activation;

/** What transformers calls the activations. */
public final class ActivationNames {
  private ActivationNames() {}

  /** The activation of this name; another name is an InputException. */
  public static Activation parse(String name) {
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu" -> Activation.GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "relu" -> Activation.RELU;
      default ->
          throw new InputException(
              ("The model's config.json asks for the activation \"%s\", which is not supported."
                      + " Supported: silu, swish, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast,"
                      + " quick_gelu, relu. Data-free methods work without a forward pass.")
                  .formatted(name));
    };
  }
}
