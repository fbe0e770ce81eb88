package io.shardpress.jobs.data;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
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

  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Opens the tokenizer of a checkpoint; one of another vocabulary is an InputException. */
  static Tokenizer open(Store store, Location checkpoint, int vocabulary) {
    TokenizerFile file = TokenizerFile.read(store, checkpoint, vocabulary);
    System.setProperty(OFFLINE, "true");
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(file.bytes()), SETTINGS));
    } catch (EngineException e) {
      throw new EnvironmentException(
          "The tokenizer's native library does not load: %s. Make DJL_CACHE_DIR a folder that can be written, or give ready token ids."
              .formatted(e.getMessage()),
          e);
    } catch (IOException | RuntimeException e) {
      throw TokenizerFile.unreadable(file.location(), e.getMessage(), e);
    }
  }

  /** Token ids of a text. */
  int[] encode(String text) {
    long[] ids = tokenizer.encode(text, false, false).getIds();
    int[] narrow = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      narrow[i] = Math.toIntExact(ids[i]);
    }
    return narrow;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
