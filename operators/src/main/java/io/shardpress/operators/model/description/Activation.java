package io.shardpress.operators.model.description;

import io.shardpress.common.error.InputException;

/** The nonlinearity of a feed-forward network. */
public enum Activation {
  SILU,
  /** With the error function. */
  GELU,
  /** The tanh approximation. */
  GELU_TANH,
  QUICK_GELU,
  RELU;

  /** The activation that transformers knows by this name; another name is an InputException. */
  public static Activation named(String name) {
    return switch (name) {
      case "silu", "swish" -> SILU;
      case "gelu" -> GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> GELU_TANH;
      case "quick_gelu" -> QUICK_GELU;
      case "relu" -> RELU;
      default ->
          throw new InputException(
              ("The model's config.json asks for the activation \"%s\", which is not supported."
                      + " Supported: silu, swish, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast,"
                      + " quick_gelu, relu. Data-free methods work without a forward pass.")
                  .formatted(name));
    };
  }
}
