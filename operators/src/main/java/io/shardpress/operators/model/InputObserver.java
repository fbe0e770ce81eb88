package io.shardpress.operators.model;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sees what linears are about to read: every shared input of a block, some tokens at a time, in
 * their order, before the linears are applied. Experts that no token was routed to are not
 * observed.
 */
@FunctionalInterface
public interface InputObserver {

  /** An observer that looks away. */
  InputObserver NONE = (input, x) -> {};

  /**
   * @param input the id that {@link LinearModule#input()} carries
   * @param x {@code [tokens, features]}, F32 or BF16 as the linears read it, borrowed for the call
   *     and not to be changed
   */
  void observe(String input, INDArray x);

  /**
   * Whether the block's output is asked for too. Where it is not, the last linears are left out,
   * and the output has no meaning.
   */
  default boolean wantsOutput() {
    return true;
  }

  /**
   * Whether a routed expert's input is to be observed with every token of its layer instead of
   * those routed to it. What the expert puts out does not change.
   */
  default boolean wantsAllTokens(String input) {
    return false;
  }
}
