package io.shardpress.operators.model;

import java.util.OptionalInt;

/**
 * A linear of a model, under the name it has in the checkpoint.
 *
 * @param name module name, e.g. {@code model.layers.0.mlp.down_proj}; its tensor adds {@code
 *     .weight}
 * @param out output features
 * @param in input features
 * @param input id of the input it reads; linears that read the same activations share it
 * @param expert index of the expert that owns it
 */
public record LinearModule(
    String name, long out, long in, Layout layout, String input, Role role, OptionalInt expert) {

  /** How the weight is stored. */
  public enum Layout {
    /** {@code [out, in]}. */
    OUT_IN,
    /** {@code [in, out]}: GPT-2's Conv1D. */
    IN_OUT
  }

  /** What a linear does in its block. */
  public enum Role {
    ATTENTION,
    MLP,
    EXPERT,
    ROUTER,
    HEAD
  }

  public LinearModule {
    if (out < 1 || in < 1) {
      throw new IllegalArgumentException("Linear %s is [%d, %d]".formatted(name, out, in));
    }
  }
}
