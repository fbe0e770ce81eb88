package io.shardpress.jobs.data;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.Sha256;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Map;

/**
 * A model's own tokenizer, adding no special tokens and cutting and padding nothing. Holds native
 * memory; used by one thread.
 */
final class Tokenizer implements AutoCloseable {
  /**
   * Without it the library reports its use, and fetches natives that it lacks, over the network.
   */
  private static final String OFFLINE = "ai.djl.offline";

  private static final Map<String, String> SETTINGS =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");

  private final Location location;
  private final HuggingFaceTokenizer tokenizer;
  private final int vocabulary;

  private Tokenizer(Location location, HuggingFaceTokenizer tokenizer, int vocabulary) {
    this.location = location;
    this.tokenizer = tokenizer;
    this.vocabulary = vocabulary;
  }

  /**
   * Opens the tokenizer of a checkpoint. One of another vocabulary, or one that the library cannot
   * use, is an InputException; so is one of other bytes than {@code sha256} says, for all tasks
   * must use the same.
   */
  static Tokenizer open(Store store, Location checkpoint, int vocabulary, String sha256) {
    TokenizerFile file = TokenizerFile.read(store, checkpoint, vocabulary);
    if (!Sha256.of(file.bytes()).equals(sha256)) {
      throw new InputException(
          "%s was changed while the run was using it. Let nobody write to its folder, and start again."
              .formatted(file.location()));
    }
    System.setProperty(OFFLINE, "true");
    try {
      return new Tokenizer(
          file.location(),
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(file.bytes()), SETTINGS),
          vocabulary);
    } catch (EngineException | LinkageError e) {
      throw new EnvironmentException(
          "The tokenizer's native library does not load: %s. Make DJL_CACHE_DIR a folder that can be written, or give ready token ids."
              .formatted(e.getMessage()),
          e);
    } catch (IOException | RuntimeException e) {
      throw TokenizerFile.unreadable(file.location(), e.getMessage(), e);
    }
  }

  /** Token ids of a text, all within the vocabulary. */
  int[] encode(String text) {
    long[] ids;
    try {
      ids = tokenizer.encode(text, false, false).getIds();
    } catch (RuntimeException e) { // what native code throws
      throw TokenizerFile.unreadable(location, "it fails on a text: " + e.getMessage(), e);
    }
    int[] narrow = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw TokenizerFile.unreadable(
            location,
            "it gave the token id %d, but the model has a vocabulary of %d tokens"
                .formatted(ids[i], vocabulary),
            null);
      }
      narrow[i] = (int) ids[i];
    }
    return narrow;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
