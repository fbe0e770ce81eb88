package io.shardpress.jobs.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.shardpress.common.error.InputException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;

/**
 * A model's {@code tokenizer.json}: its bytes, and the largest token id that it can give.
 *
 * @param bytes the file as it is
 */
@SuppressWarnings("ArrayRecordComponent")
record TokenizerFile(Location location, byte[] bytes, long largestId) {
  private static final String NAME = "tokenizer.json";

  /** The largest known ones have 35 MB. */
  private static final long LIMIT = 1L << 28;

  static Location of(Location checkpoint) {
    return checkpoint.child(NAME);
  }

  /** Reads the tokenizer of a checkpoint and checks that it belongs to its vocabulary. */
  static TokenizerFile read(Store store, Location checkpoint, int vocabulary) {
    Location location = of(checkpoint);
    if (!store.exists(location)) {
      throw new InputException(
          "There is no %s in %s, which text needs. Put the model's tokenizer there, or give ready token ids: a Parquet, Arrow or JSON-lines field of integer lists."
              .formatted(NAME, checkpoint));
    }
    byte[] bytes = store.readAll(location, LIMIT);
    TokenizerFile file = new TokenizerFile(location, bytes, largestId(location, bytes));
    if (file.largestId >= vocabulary) {
      throw new InputException(
          "%s gives token ids up to %d, but the model has a vocabulary of %d tokens: it is the tokenizer of another model. Put the right one in its place."
              .formatted(location, file.largestId, vocabulary));
    }
    return file;
  }

  private static long largestId(Location location, byte[] bytes) {
    try (JsonParser json = StrictJson.parser(bytes)) {
      long largest = -1;
      if (json.nextToken() == JsonToken.START_OBJECT) {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String field = json.currentName();
          json.nextToken();
          switch (field) {
            case "model" -> largest = Math.max(largest, largestInVocabulary(json));
            case "added_tokens" -> largest = Math.max(largest, largestAdded(json));
            default -> json.skipChildren();
          }
        }
      }
      if (largest < 0) {
        throw unreadable(location, "it holds no vocabulary", null);
      }
      return largest;
    } catch (IOException e) {
      throw unreadable(location, e.getMessage().lines().findFirst().orElse(""), e);
    }
  }

  /** {@code model.vocab}: token to id, or, for Unigram, a list of tokens in the order of ids. */
  private static long largestInVocabulary(JsonParser json) throws IOException {
    long largest = -1;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      boolean vocabulary = json.currentName().equals("vocab");
      JsonToken start = json.nextToken();
      if (vocabulary && start == JsonToken.START_OBJECT) {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          json.nextToken();
          largest = Math.max(largest, json.getLongValue());
        }
      } else if (vocabulary && start == JsonToken.START_ARRAY) {
        while (json.nextToken() != JsonToken.END_ARRAY) {
          json.skipChildren();
          largest++;
        }
      } else {
        json.skipChildren();
      }
    }
    return largest;
  }

  private static long largestAdded(JsonParser json) throws IOException {
    long largest = -1;
    while (json.nextToken() == JsonToken.START_OBJECT) {
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean id = json.currentName().equals("id");
        json.nextToken();
        if (id) {
          largest = Math.max(largest, json.getLongValue());
        }
        json.skipChildren();
      }
    }
    return largest;
  }

  static InputException unreadable(Location location, String why, Exception cause) {
    return new InputException(
        "Cannot use the tokenizer %s: %s. Copy or download it again.".formatted(location, why),
        cause);
  }
}
