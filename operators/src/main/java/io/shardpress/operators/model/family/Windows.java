package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.error.InputException;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/** Which blocks see only a sliding window of tokens. */
final class Windows {
  private Windows() {}

  /**
   * The window of one block, by {@code layer_types}; for configurations older than that key, by a
   * rule.
   *
   * @param window the window of blocks that have one
   * @param isSliding whether a block has one where {@code layer_types} is absent
   */
  static OptionalInt ofBlock(
      ModelConfig config, int block, OptionalInt window, IntPredicate isSliding) {
    List<String> types = config.texts("layer_types");
    if (types.isEmpty()) {
      return isSliding.test(block) ? window : OptionalInt.empty();
    }
    if (block >= types.size()) {
      throw new InputException(
          "config.json lists %d layer_types, but the model has more layers. List one per layer."
              .formatted(types.size()));
    }
    String type = types.get(block);
    return switch (type) {
      case "full_attention" -> OptionalInt.empty();
      case "sliding_attention" -> {
        if (window.isEmpty()) {
          throw new InputException(
              ("config.json calls layer %d \"sliding_attention\", but sets no sliding_window for"
                      + " it. Set sliding_window, or call the layer \"full_attention\".")
                  .formatted(block));
        }
        yield window;
      }
      default ->
          throw new InputException(
              ("config.json calls layer %d \"%s\", which is not supported. Supported layer_types:"
                      + " full_attention, sliding_attention.")
                  .formatted(block, type));
    };
  }
}
