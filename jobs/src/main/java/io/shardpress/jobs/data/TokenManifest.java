package io.shardpress.jobs.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.json.StrictObject;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is known of tokenized data; the JSON file that is written last.
 *
 * @param sequences number of sequences over all chunks
 * @param length tokens of each, BOS included
 * @param bos BOS token that starts each sequence, or -1
 * @param sampleIds for each sequence the number of its window (or row, for ready ids) in the data
 * @param dataTokens tokens of the data before cutting
 * @param tokenizerSha256 of {@code tokenizer.json}, or empty when the data were ready ids
 */
public record TokenManifest(
    int sequences,
    int length,
    int sequencesPerChunk,
    int bos,
    List<Integer> sampleIds,
    long dataTokens,
    List<Source> sources,
    String tokenizerSha256,
    List<Chunk> chunks)
    implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final int FORMAT_VERSION = 1;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A file that was read. */
  public record Source(String location, String sha256) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /**
   * A chunk file.
   *
   * @param bytes length of the file
   * @param sha256 of the file
   * @param idsSha256 of its ids as little-endian int32
   */
  public record Chunk(int index, long bytes, String sha256, String idsSha256)
      implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  public TokenManifest {
    sampleIds = List.copyOf(sampleIds);
    sources = List.copyOf(sources);
    chunks = List.copyOf(chunks);
  }

  /** SHA-256 over the ids, the length and the borders of chunks: the identity of the data. */
  public String digest() {
    return Sha256.of(
        "%d %d %d %s"
            .formatted(
                sequences,
                length,
                sequencesPerChunk,
                chunks.stream().map(Chunk::idsSha256).collect(Collectors.joining(" "))));
  }

  byte[] toJson() {
    ObjectNode root = JSON.createObjectNode();
    root.put("format_version", FORMAT_VERSION);
    root.put("sequences", sequences);
    root.put("length", length);
    root.put("sequences_per_chunk", sequencesPerChunk);
    root.put("bos", bos);
    root.put("data_tokens", dataTokens);
    root.put("digest", digest());
    root.put("tokenizer_sha256", tokenizerSha256);
    ArrayNode files = root.putArray("sources");
    for (Source source : sources) {
      files.addObject().put("location", source.location).put("sha256", source.sha256);
    }
    ArrayNode parts = root.putArray("chunks");
    for (Chunk chunk : chunks) {
      parts
          .addObject()
          .put("file", TokenFile.name(chunk.index))
          .put("bytes", chunk.bytes)
          .put("sha256", chunk.sha256)
          .put("ids_sha256", chunk.idsSha256);
    }
    ArrayNode samples = root.putArray("sample_ids");
    sampleIds.forEach(samples::add);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
    } catch (IOException e) {
      throw new IllegalStateException("Writing JSON to memory failed", e);
    }
  }

  /** The manifest in {@code bytes}; one that was not written by us is an InputException. */
  static TokenManifest parse(byte[] bytes, Location file) {
    StrictObject root = StrictObject.parse(file.toString(), bytes);
    if (root.number("format_version", 0, Long.MAX_VALUE) != FORMAT_VERSION) {
      throw broken(file, "is of another format version");
    }
    List<Source> sources = new ArrayList<>();
    for (StrictObject source : root.objects("sources")) {
      sources.add(new Source(source.text("location"), source.sha256("sha256")));
    }
    List<Chunk> chunks = new ArrayList<>();
    for (StrictObject chunk : root.objects("chunks")) {
      if (!chunk.text("file").equals(TokenFile.name(chunks.size()))) {
        throw broken(file, "does not list its chunks in order");
      }
      chunks.add(
          new Chunk(
              chunks.size(),
              chunk.number("bytes", 1, Integer.MAX_VALUE),
              chunk.sha256("sha256"),
              chunk.sha256("ids_sha256")));
    }
    TokenManifest manifest =
        new TokenManifest(
            root.integer("sequences", 1),
            root.integer("length", 1),
            root.integer("sequences_per_chunk", 1),
            root.integer("bos", -1),
            root.integers("sample_ids", 0),
            root.number("data_tokens", 0, Long.MAX_VALUE),
            sources,
            root.text("tokenizer_sha256").isEmpty() ? "" : root.sha256("tokenizer_sha256"),
            chunks);
    int wanted = 1 + (manifest.sequences - 1) / manifest.sequencesPerChunk;
    if (chunks.size() != wanted || manifest.sampleIds.size() != manifest.sequences) {
      throw broken(
          file,
          "has %d chunks and %d sample ids, not %d and %d"
              .formatted(chunks.size(), manifest.sampleIds.size(), wanted, manifest.sequences));
    }
    if (!manifest.digest().equals(root.text("digest"))) {
      throw broken(file, "does not match its own digest");
    }
    return manifest;
  }

  private static InputException broken(Location file, String what) {
    return new InputException("%s %s. Delete its folder and start again.".formatted(file, what));
  }
}
