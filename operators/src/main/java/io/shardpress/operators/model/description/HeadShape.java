package io.shardpress.operators.model.description;

import io.shardpress.common.error.InputException;

/**
 * How attention is split into heads; query head h reads key-value head {@code h / group()}.
 *
 * @param heads query heads
 * @param keyValueHeads key-value heads, a divisor of {@code heads}
 * @param headSize width of one head
 */
public record HeadShape(int heads, int keyValueHeads, int headSize) {
  public HeadShape {
    if (heads < 1 || keyValueHeads < 1 || headSize < 1 || heads % keyValueHeads != 0) {
      throw new InputException(
          ("The model's config.json gives %d query heads, %d key-value heads and head size %d;"
                  + " attention needs positive numbers, and query heads that divide evenly among"
                  + " the key-value heads. Check num_attention_heads, num_key_value_heads and"
                  + " head_dim.")
              .formatted(heads, keyValueHeads, headSize));
    }
  }

  /** Query heads per key-value head. */
  public int group() {
    return heads / keyValueHeads;
  }

  public int queryWidth() {
    return heads * headSize;
  }

  public int keyValueWidth() {
    return keyValueHeads * headSize;
  }
}
