package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.Sha256;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Optional;

/**
 * Tokenized data in a folder: sequences of one length in chunk files of a fixed number of
 * sequences. Small, and serializable when its store is: tasks carry it and read the chunks they
 * work on.
 */
public final class TokenChunks implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final String MANIFEST = "tokens.json";
  private static final long MANIFEST_LIMIT = 1L << 28;

  private final Store store;
  private final Location directory;
  private final TokenManifest manifest;

  TokenChunks(Store store, Location directory, TokenManifest manifest) {
    this.store = store;
    this.directory = directory;
    this.manifest = manifest;
  }

  /** The tokenized data of a folder, or empty when there is none, or none that was finished. */
  public static Optional<TokenChunks> find(Store store, Location directory) {
    Location file = manifestOf(directory);
    if (!store.exists(file)) {
      return Optional.empty();
    }
    TokenManifest manifest = TokenManifest.parse(store.readAll(file, MANIFEST_LIMIT), file);
    return Optional.of(new TokenChunks(store, directory, manifest));
  }

  static Location manifestOf(Location directory) {
    return directory.child(MANIFEST);
  }

  public Location directory() {
    return directory;
  }

  public TokenManifest manifest() {
    return manifest;
  }

  /** SHA-256 over ids, length and chunk borders, for fingerprints of what is computed from them. */
  public String digest() {
    return manifest.digest();
  }

  /** Number of sequences over all chunks. */
  public int sequences() {
    return manifest.sequences();
  }

  /** Tokens of each sequence. */
  public int length() {
    return manifest.length();
  }

  /** Number of chunks. */
  public int chunks() {
    return manifest.chunks().size();
  }

  /** Number of sequences in a chunk; only the last may have fewer than the others. */
  public int sequences(int chunk) {
    int perChunk = manifest.sequencesPerChunk();
    return Math.min(perChunk, manifest.sequences() - chunk * perChunk);
  }

  /** Tokens of a chunk; only the last may have fewer. */
  public long chunkTokens() {
    return (long) manifest.sequencesPerChunk() * length();
  }

  /** Tokens of all sequences, BOS included. */
  public long tokens() {
    return (long) sequences() * length();
  }

  /** Tokens that a language model predicts: all but the first of each sequence. */
  public long scoredTokens() {
    return (long) sequences() * (length() - 1);
  }

  /**
   * The ids of a chunk, {@code [sequences(chunk), length]} row-major. A file that does not match
   * the manifest is an InputException.
   */
  public long[] readChunk(int chunk) {
    TokenManifest.Chunk expected = manifest.chunks().get(chunk);
    Location file = directory.child(TokenFile.name(chunk));
    byte[] bytes = store.readAll(file, Math.max(expected.bytes(), 1));
    if (bytes.length != expected.bytes() || !Sha256.of(bytes).equals(expected.sha256())) {
      throw new InputException(
          "%s was changed since it was written: its SHA-256 is not that of %s. Delete the folder and start again."
              .formatted(file, manifestOf(directory)));
    }
    int[] ids = TokenFile.decode(bytes, sequences(chunk), length(), file);
    return Arrays.stream(ids).asLongStream().toArray();
  }
}
