package io.shardpress.jobs.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
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
  private static final long LIMIT = StrictJson.MAX_BYTES;

  /** Runs of spaces make the longest known ones, of a few hundred. */
  private static final int LONGEST_TOKEN = 2_000;

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

  /** The library that reads the file has a parser of its own: both must read the same. */
  private static long largestId(Location location, byte[] bytes) {
    StrictJson.check(location.toString(), bytes);
    try (JsonParser json = StrictJson.parser(bytes)) {
      return new Ids(location, json).largest();
    } catch (IOException e) {
      throw StrictJson.invalid(location.toString(), e);
    }
  }

  private record Ids(Location location, JsonParser json) {

    long largest() throws IOException {
      long largest = -1;
      if (json.nextToken() == JsonToken.START_OBJECT) {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          String field = json.currentName();
          JsonToken value = json.nextToken();
          if (field.equals("model") && value == JsonToken.START_OBJECT) {
            largest = Math.max(largest, largestInModel());
          } else if (field.equals("added_tokens") && value == JsonToken.START_ARRAY) {
            largest = Math.max(largest, largestAdded());
          } else {
            json.skipChildren();
          }
        }
      }
      if (largest < 0) {
        throw unreadable(location, "it holds no vocabulary", null);
      }
      return largest;
    }

    /** {@code vocab}: token to id, or, for Unigram, a list of tokens in the order of ids. */
    private long largestInModel() throws IOException {
      long largest = -1;
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean vocabulary = json.currentName().equals("vocab");
        JsonToken start = json.nextToken();
        if (vocabulary && start == JsonToken.START_OBJECT) {
          while (json.nextToken() == JsonToken.FIELD_NAME) {
            requireShort(json.currentName());
            json.nextToken();
            largest = Math.max(largest, id());
          }
        } else if (vocabulary && start == JsonToken.START_ARRAY) {
          while (json.nextToken() == JsonToken.START_ARRAY) {
            pair();
            largest++;
          }
          if (json.currentToken() != JsonToken.END_ARRAY) {
            throw unreadable(location, "a token of its vocabulary is no list", null);
          }
        } else {
          json.skipChildren();
        }
      }
      return largest;
    }

    /** A token with its score. */
    private void pair() throws IOException {
      for (JsonToken t = json.nextToken(); t != JsonToken.END_ARRAY; t = json.nextToken()) {
        if (t == JsonToken.VALUE_STRING) {
          requireShort(json.getText());
        }
        json.skipChildren();
      }
    }

    /** The library keeps tokens in trees that it takes apart one call deeper for each character. */
    private void requireShort(String token) {
      if (token.length() > LONGEST_TOKEN) {
        throw unreadable(location, "a token has %d characters".formatted(token.length()), null);
      }
    }

    private long largestAdded() throws IOException {
      long largest = -1;
      for (JsonToken t = json.nextToken(); t != JsonToken.END_ARRAY; t = json.nextToken()) {
        if (t != JsonToken.START_OBJECT) {
          throw unreadable(location, "an added token is no object", null);
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
          boolean isId = json.currentName().equals("id");
          json.nextToken();
          if (isId) {
            largest = Math.max(largest, id());
          } else if (json.currentToken() == JsonToken.VALUE_STRING) {
            requireShort(json.getText());
          }
          json.skipChildren();
        }
      }
      return largest;
    }

    /** From the digits: Jackson's own conversion takes 1.5 for 1. */
    private long id() throws IOException {
      String digits = json.getText();
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT || !digits.matches("\\d{1,10}")) {
        throw unreadable(
            location,
            "it has a token id that is no number of a token: " + Printable.excerpt(digits),
            null);
      }
      return Long.parseLong(digits);
    }
  }

  static InputException unreadable(Location location, String why, Exception cause) {
    return new InputException(
        "Cannot use the tokenizer %s: %s. Copy or download it again."
            .formatted(location, Printable.excerpt(String.valueOf(why))),
        cause);
  }
}
