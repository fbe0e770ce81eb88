package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFilesTest {
  @TempDir Path folder;

  @BeforeEach
  void files() throws IOException {
    Files.createDirectories(folder.resolve("x/deep"));
    Files.createDirectories(folder.resolve("y"));
    for (String name :
        List.of("b.txt", "a.jsonl", "c.PARQUET", "_SUCCESS", ".a.txt.crc", "notes.md")) {
      Files.writeString(folder.resolve("x").resolve(name), name);
    }
    Files.writeString(folder.resolve("x/deep/z.txt"), "z");
    Files.writeString(folder.resolve("y/b.txt"), "b");
  }

  @Test
  void filesComeInTheOrderOfTheirPathsAndOnce() {
    assertThat(resolve("y/b.txt", "x/b.txt", "x/a.jsonl", "x/b.txt"))
        .containsExactly("x/a.jsonl", "x/b.txt", "y/b.txt");
  }

  @Test
  void theIndexIsThePlaceInThatOrder() {
    assertThat(DataFiles.resolve(Given.store(), names("y/b.txt", "x/b.txt")))
        .extracting(DataFile::index)
        .containsExactly(0, 1);
  }

  @Test
  void aFolderGivesItsDataFilesButNotWhatLiesBelow() {
    assertThat(resolve("x")).containsExactly("x/a.jsonl", "x/b.txt", "x/c.PARQUET");
  }

  @Test
  void globsMatchNamesAndFolders() {
    assertThat(resolve("*/b.txt")).containsExactly("x/b.txt", "y/b.txt");
    assertThat(resolve("x/*.txt")).containsExactly("x/b.txt");
    assertThat(resolve("?/?.txt")).containsExactly("x/b.txt", "y/b.txt");
    assertThat(resolve("x/*/z.txt")).containsExactly("x/deep/z.txt");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> resolve("x/none.txt"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("There is no data at file://" + folder + "/x/none.txt")
        .hasMessageContaining("Check the path");
  }

  @Test
  void aPatternWithoutMatchIsNamed() {
    assertThatThrownBy(() -> resolve("x/*.arrow"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("No file matches the data")
        .hasMessageContaining("x/*.arrow");
  }

  @Test
  void aFolderWithoutDataSaysWhatCountsAsData() {
    assertThatThrownBy(() -> resolve(""))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("holds no file ending in .txt, .jsonl");
  }

  @Test
  void anUnknownFormatIsRefused() {
    assertThatThrownBy(() -> resolve("x/notes.md"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("notes.md is not known")
        .hasMessageContaining("Convert or rename it");
  }

  private List<String> resolve(String... names) {
    String prefix = Given.at(folder) + "/";
    return DataFiles.resolve(Given.store(), names(names)).stream()
        .map(file -> file.location().uri().substring(prefix.length()))
        .toList();
  }

  private List<String> names(String... names) {
    return List.of(names).stream().map(name -> folder + "/" + name).toList();
  }
}
