package io.shardpress.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.json.JsonMutator;
import io.shardpress.common.storage.HostileNames;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.jobs.storage.PublishedFile;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A folder's own list of files is no more to be trusted than the folder. */
@Tag("small-heap")
class RecordedFilesTest {
  private static final int DOCUMENTS = Integer.getInteger("documents", 30_000);
  private static final long SEED = Long.getLong("seed", 20260401L);
  private static final String HASH = "0123456789abcdef".repeat(4);
  private static final String SOURCE = "file:///out/_SUCCESS.json";
  private static final String RECORD =
      """
      {"format": "shardpress-run/1", "run_id": "00000000-0000-0000-0000-000000000001", "files": [
        {"name": "model.safetensors", "bytes": 1000, "sha256": "%s"},
        {"name": "config.json", "bytes": 0, "sha256": "%s"}]}
      """
          .formatted(HASH, HASH);

  @Test
  void areReadAsWritten() {
    assertThat(parse(RECORD))
        .containsExactly(
            new PublishedFile("model.safetensors", 1000, HASH),
            new PublishedFile("config.json", 0, HASH));
  }

  @Test
  void hostileNamesAreRefused() {
    for (String name : HostileNames.ALL) {
      String quoted = com.fasterxml.jackson.databind.node.TextNode.valueOf(name).toString();
      assertThatThrownBy(() -> parse(RECORD.replace("\"config.json\"", quoted)))
          .as(name)
          .isInstanceOf(CheckpointFormatException.class)
          .hasMessageStartingWith(SOURCE + ": the file name '");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"bytes\": 1000 | \"bytes\": \"1000\" | 'bytes' holds \"1000\", but must be a whole"
            + " number",
        "\"bytes\": 1000 | \"bytes\": 1.5 | 'bytes' holds 1.5",
        "\"bytes\": 1000 | \"bytes\": -1 | 'bytes' holds -1",
        "\"bytes\": 1000 | \"bytes\": 18446744073709551615 | 'bytes' holds 18446744073709551615",
        "\"bytes\": 1000, | '' | 'bytes' is missing",
        "\"bytes\": 1000 | \"bytes\": null | 'bytes' holds null",
        "\"sha256\": \"0123 | \"sha256\": \"012X | a SHA-256 in hexadecimal",
        "\"files\": [ | \"files\": [7, | 'files' holds 7, but must be objects only",
        "\"config.json\" | \"model.safetensors\" | names model.safetensors twice",
        "shardpress-run/1 | shardpress-run/9 | is of the format 'shardpress-run/9'",
        "\"format\" | \"former\" | 'format' is missing"
      })
  void whatNoRunWroteIsRefused(String from, String to, String why) {
    assertThatThrownBy(() -> parse(RECORD.replace(from, to)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(SOURCE)
        .hasMessageContaining(why);
  }

  @Test
  void anEmptyListIsRefused() {
    assertThatThrownBy(() -> parse("{\"format\": \"shardpress-run/1\", \"files\": []}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("names no files");
  }

  @Test
  void damageIsRefusedOrHarmless() {
    int accepted = 0;
    for (int i = 0; i < DOCUMENTS; i++) {
      long seed = SEED + i;
      byte[] json = JsonMutator.mutated(RECORD, seed);
      try {
        for (PublishedFile file : RecordedFiles.parse(SOURCE, json)) {
          assertThat(SafeFileName.isSafe(file.name())).as("seed %d", seed).isTrue();
          assertThat(file.bytes()).as("seed %d", seed).isNotNegative();
        }
        accepted++;
      } catch (InputException e) {
        assertThat(e.getMessage()).as("seed %d", seed).startsWith(SOURCE).hasSizeLessThan(1_000);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("Seed " + seed + " ended in " + e, e);
      }
    }
    assertThat(accepted).as("accepted, seed %d", SEED).isBetween(1, DOCUMENTS / 2);
  }

  private static List<PublishedFile> parse(String json) {
    return RecordedFiles.parse(SOURCE, json.getBytes(StandardCharsets.UTF_8));
  }
}
