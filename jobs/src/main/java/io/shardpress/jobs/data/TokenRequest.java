package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.storage.Sha256;
import java.util.List;
import java.util.OptionalInt;

/**
 * All that the tokens depend on.
 *
 * @param sources one per file, in the same order
 * @param tokenizerSha256 of the model's {@code tokenizer.json}, or empty when it has none
 */
public record TokenRequest(
    DataSettings settings,
    ModelTokens model,
    List<DataFile> files,
    List<TokenManifest.Source> sources,
    String tokenizerSha256) {
  private static final int FORMAT_VERSION = 1;

  public TokenRequest {
    files = List.copyOf(files);
    sources = List.copyOf(sources);
  }

  /** Settings that the model cannot follow are an InputException. */
  static void check(DataSettings settings, ModelTokens model) {
    if (settings.length() > model.contextLength()) {
      throw new InputException(
          "length = %d is longer than the context of %s, %d tokens. Set it to at most that."
              .formatted(settings.length(), model.checkpoint(), model.contextLength()));
    }
    if (settings.bos() == DataSettings.Bos.ALWAYS && model.bos().isEmpty()) {
      throw new InputException(
          "bos = always, but the config of %s has no bos_token_id. Set bos = never."
              .formatted(model.checkpoint()));
    }
  }

  /** The token before each sequence; ready ids are used as they are. */
  OptionalInt bos(TokenRuns.Kind kind) {
    return kind == TokenRuns.Kind.TEXT && settings.bos() != DataSettings.Bos.NEVER
        ? model.bos()
        : OptionalInt.empty();
  }

  /** Name of the result: equal requests, and only they, have equal names. Paths do not count. */
  public String address() {
    StringBuilder text = new StringBuilder();
    text.append("format ").append(FORMAT_VERSION);
    text.append("\nlength ").append(settings.length());
    text.append("\nsequences ").append(settings.sequences());
    text.append("\nsample ").append(settings.sample());
    text.append("\nseed ").append(settings.sample() == Sample.RANDOM ? settings.seed() : 0);
    text.append("\nbos ").append(bos(TokenRuns.Kind.TEXT));
    text.append("\nsequences per chunk ").append(settings.sequencesPerChunk());
    text.append("\nfield ").append(settings.field());
    text.append("\nvocabulary ").append(model.vocabulary());
    text.append("\ntokenizer ").append(tokenizerSha256);
    for (int i = 0; i < files.size(); i++) {
      text.append('\n').append(files.get(i).format()).append(' ').append(sources.get(i).sha256());
    }
    return Sha256.of(text.toString());
  }
}
