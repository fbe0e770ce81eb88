package io.shardpress.integration.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.integration.Folders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Where a run publishes, and the one place that says what may lie there when it has ended. */
public record Destination(Path folder) {
  private static final String SUCCESS = "_SUCCESS.json";
  private static final String RECORD = "run.json";
  private static final String STAGING = "_staging/";

  /** Hashes of all files but the records, which tell times and ids. */
  public Map<String, String> published() {
    Map<String, String> hashes = Folders.hashes(folder, SUCCESS, RECORD, "tasks.json");
    hashes.keySet().removeIf(name -> name.startsWith(STAGING));
    return hashes;
  }

  /** A whole checkpoint lies here: every file as the run recorded it, and nothing else. */
  public Destination requireComplete() {
    assertThat(Folders.files(folder)).noneMatch(name -> name.startsWith(STAGING));
    return requireWhole();
  }

  /** The same, but the run could not clear away its work. */
  public Destination requireWhole() {
    Map<String, String> recorded = new TreeMap<>();
    for (JsonNode file : json(SUCCESS).path("files")) {
      recorded.put(file.path("name").asText(), file.path("sha256").asText());
    }
    Map<String, String> found = Folders.hashes(folder, SUCCESS);
    found.keySet().removeIf(name -> name.startsWith(STAGING));
    assertThat(found).isNotEmpty().isEqualTo(recorded);
    assertThat(json(RECORD).path("status").asText()).isEqualTo("complete");
    return this;
  }

  /** A run has failed that could still write: beside its record at most finished work is left. */
  public Destination requireWithdrawn() {
    assertThat(Folders.files(folder))
        .allMatch(name -> name.equals(RECORD) || name.startsWith(STAGING));
    return this;
  }

  /**
   * A run was cut off, perhaps as it wrote its last file: no reader takes what lies here for a
   * checkpoint, unless it is a whole one.
   *
   * @return whether it is
   */
  public boolean requireWholeOrNoCheckpoint() {
    if (!Folders.files(folder).contains(SUCCESS)) {
      return false;
    }
    try {
      new ObjectMapper().readTree(Folders.bytes(folder.resolve(SUCCESS)));
    } catch (IOException e) {
      return false; // half a file
    }
    requireWhole();
    return true;
  }

  public JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(Folders.bytes(folder.resolve(name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
