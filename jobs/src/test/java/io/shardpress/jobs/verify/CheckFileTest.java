package io.shardpress.jobs.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckFileTest {
  private static final int PIECE = 8 << 20;

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, PIECE - 1, PIECE, PIECE + 1})
  void findsAFileAsItWasRecorded(int size) throws IOException {
    byte[] bytes = bytes(size);
    Files.write(folder.resolve("a.bin"), bytes);
    PublishedFile recorded = new PublishedFile("a.bin", size, Sha256.of(bytes));

    assertThat(check(recorded)).isEqualTo(recorded);
  }

  @Test
  void findsAChangedByteInTheLastPiece() throws IOException {
    byte[] bytes = bytes(PIECE + 2);
    PublishedFile recorded = new PublishedFile("a.bin", bytes.length, Sha256.of(bytes));
    bytes[PIECE + 1] ^= 1;
    Files.write(folder.resolve("a.bin"), bytes);

    assertThatThrownBy(() -> check(recorded))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has SHA-256 " + Sha256.of(bytes) + ", not " + recorded.sha256());
  }

  @Test
  void findsAnotherLength() throws IOException {
    Files.write(folder.resolve("a.bin"), new byte[3]);
    assertThatThrownBy(() -> check(new PublishedFile("a.bin", 4, "")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.bin has 3 bytes, not 4 as recorded");
  }

  @Test
  void namesAMissingFile() {
    assertThatThrownBy(() -> check(new PublishedFile("gone.bin", 4, "")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("gone.bin");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret", "/etc/passwd", "a/b", ".hidden"})
  void opensNothingOutsideItsFolder(String name) {
    assertThatThrownBy(() -> check(new PublishedFile(name, 4, "")))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("the file name '" + name + "' is refused");
  }

  private PublishedFile check(PublishedFile recorded) {
    return new CheckFile(TinyCheckpoint.store(), Location.of(folder.toString()), recorded).run();
  }

  private static byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }
}
