package io.shardpress.operators.model.family;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.description.AttentionSpec;
import io.shardpress.operators.model.description.DecoderDescription;
import java.util.OptionalInt;

/** Qwen 2 and 2.5: Llama with biases on q, k and v, and a window in the upper blocks. */
final class Qwen2 implements Family {

  @Override
  public String modelType() {
    return "qwen2";
  }

  @Override
  public DecoderDescription describe(ModelConfig config, TensorNames tensors) {
    LlamaLike llama = LlamaLike.of(config, tensors);
    return llama.decoder(
        block -> {
          AttentionSpec plain = llama.attention(block);
          return llama.preNormBlock(
              block,
              plain
                  .withLinears(llama.separate(block).withBias(), plain.output())
                  .withWindow(window(llama, block)),
              llama.gatedMlp(block));
        });
  }

  /** {@code sliding_window} counts only with {@code use_sliding_window}. */
  static OptionalInt usedWindow(LlamaLike llama) {
    return llama.config().flag("use_sliding_window", false)
        ? llama.slidingWindow()
        : OptionalInt.empty();
  }

  /** Without {@code layer_types}, blocks from {@code max_window_layers} on have the window. */
  static OptionalInt window(LlamaLike llama, int block) {
    int first = llama.config().integer("max_window_layers", 28);
    return Windows.ofBlock(llama.config(), block, usedWindow(llama), b -> b >= first);
  }
}
