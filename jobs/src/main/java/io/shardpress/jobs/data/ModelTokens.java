package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import java.util.OptionalInt;

/**
 * What the data must fit: the facts about the tokens of one model.
 *
 * @param checkpoint folder with the model's {@code tokenizer.json}; only read when there is text
 * @param vocabulary number of token ids that the model embeds
 * @param contextLength longest sequence that the model takes
 * @param bos id of its beginning-of-sequence token, if it has one
 */
public record ModelTokens(Location checkpoint, int vocabulary, int contextLength, OptionalInt bos) {

  public ModelTokens {
    if (vocabulary < 1 || contextLength < 1) {
      throw new IllegalArgumentException(
          "Vocabulary %d and context length %d must be positive"
              .formatted(vocabulary, contextLength));
    }
    if (bos.isPresent() && (bos.getAsInt() < 0 || bos.getAsInt() >= vocabulary)) {
      throw new InputException(
          "The BOS token %d of %s is outside its vocabulary of %d tokens. Correct bos_token_id or vocab_size in config.json."
              .formatted(bos.getAsInt(), checkpoint, vocabulary));
    }
  }
}
