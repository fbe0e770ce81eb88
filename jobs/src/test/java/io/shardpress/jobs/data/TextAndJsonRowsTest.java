package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextAndJsonRowsTest {
  @TempDir Path folder;

  @Test
  void aTextFileIsReadAsItIs() throws IOException {
    String text = "ä\r\n\uD83D\uDE00 b\n".repeat(40_000) + "end";
    assertThat(text(write("a.txt", text))).isEqualTo(text);
  }

  @Test
  void anEmptyTextFileHasNoRows() throws IOException {
    assertThat(Given.rows(write("a.txt", ""), Optional.empty())).isEmpty();
  }

  @Test
  void compressedFilesAreReadToo() throws IOException {
    Path file = folder.resolve("a.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("{\"text\": \"packed\"}\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(Given.rows(file, Optional.empty())).containsExactly(new DataRow.Text("packed"));
  }

  @Test
  void aBrokenArchiveIsNamed() throws IOException {
    assertThatThrownBy(() -> text(write("a.txt.gz", "plain text")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Cannot read the data file")
        .hasMessageContaining("a.txt.gz");
  }

  @Test
  void textThatIsNotUtf8IsRefused() throws IOException {
    Path file = folder.resolve("latin.txt");
    Files.write(file, "h\u00E9".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> text(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("latin.txt is not UTF-8 text")
        .hasMessageContaining("iconv");
  }

  @Test
  void jsonLinesAreRowsAndEmptyLinesAreNot() throws IOException {
    Path file = write("a.jsonl", "{\"text\": \"one\\n\", \"n\": 1}\n\n{\"text\": \"two\"}");
    assertThat(Given.rows(file, Optional.empty()))
        .containsExactly(new DataRow.Text("one\n"), new DataRow.Text("two"));
  }

  @Test
  void integerListsAreReadyIds() throws IOException {
    Path file = write("a.jsonl", "{\"input_ids\": [3, 5000000000, -1]}\n");
    assertThat(Given.rows(file, Optional.empty()))
        .singleElement()
        .satisfies(
            row -> assertThat(((DataRow.Ids) row).ids()).containsExactly(3, 5_000_000_000L, -1));
  }

  @Test
  void theFieldAskedForIsRead() throws IOException {
    Path file = write("a.json", "{\"text\": \"no\", \"story\": \"yes\"}\n");
    assertThat(Given.rows(file, Optional.of("story"))).containsExactly(new DataRow.Text("yes"));
  }

  @Test
  void malformedJsonIsNamedByFileAndLine() throws IOException {
    Path file = write("a.jsonl", "{\"text\": \"one\"}\n\n{\"text\": \"two\"\n");
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.jsonl line 3 is not valid JSON");
  }

  @Test
  void aLineThatIsNoObjectIsNamed() throws IOException {
    assertThatThrownBy(() -> Given.rows(write("a.json", "[\n1]"), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.json line 1");
  }

  @Test
  void aMissingFieldListsThoseThereAre() throws IOException {
    Path file = write("a.jsonl", "{\"body\": \"one\", \"title\": \"t\"}\n");
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(
            "a.jsonl line 1 has no field 'text' or 'input_ids'; it has body, title. Set 'field'");
    assertThatThrownBy(() -> Given.rows(file, Optional.of("story")))
        .hasMessageContaining("has no field 'story'; it has body, title");
  }

  @Test
  void aFieldThatIsNullOrNeitherTextNorIdsIsNamed() throws IOException {
    assertThatThrownBy(() -> Given.rows(write("a.jsonl", "{\"text\": null}"), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.jsonl line 1 has no value in field 'text'");
    assertThatThrownBy(() -> Given.rows(write("b.jsonl", "{\"text\": 1.5}"), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Field 'text' of")
        .hasMessageContaining("b.jsonl line 1 holds a JSON number");
    assertThatThrownBy(() -> Given.rows(write("c.jsonl", "{\"text\": [1, 1.5]}"), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a list that is not of integers");
  }

  private Path write(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private static String text(Path file) {
    return Given.rows(file, Optional.empty()).stream()
        .map(row -> ((DataRow.Text) row).text())
        .collect(Collectors.joining());
  }
}
