package io.shardpress.jobs.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Tasks;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SparkTest
class ArchiveJobTest {
  private final HadoopStore store = TinyCheckpoint.store();
  private final Progress progress =
      new Progress(
          new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
          Progress.Screen.LOG,
          Clock.systemUTC());

  @TempDir private Path folder;
  private Path model;
  private Path archive;
  private Path back;
  private Tasks tasks;

  @BeforeEach
  void writeACheckpoint(SparkSession session) {
    tasks = new Tasks(JavaSparkContext.fromSparkContext(session.sparkContext()));
    model = folder.resolve("model");
    archive = folder.resolve("archive");
    back = folder.resolve("back");
    TinyCheckpoint.llama(DType.BF16, 3).write(model);
  }

  private Figures archive() {
    return new ArchiveJob(store, tasks, progress).run(at(model), at(archive));
  }

  private void restore() {
    new RestoreJob(store, tasks, progress).run(at(archive), at(back));
  }

  private static Location at(Path path) {
    return Location.of(path.toString());
  }

  private static List<String> contents(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file) + " " + hex(file))
          .sorted()
          .toList();
    }
  }

  private static String hex(Path file) {
    try {
      return HexFormat.of().formatHex(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void givesBackEveryFile() throws IOException {
    Files.write(model.resolve("empty.txt"), new byte[0]);
    List<String> before = contents(model);
    Figures figures = archive();
    restore();

    assertThat(contents(back)).isEqualTo(before);
    assertThat(contents(model)).isEqualTo(before);
    assertThat(back.resolve("_staging")).doesNotExist();
    assertThat(archive.resolve("_staging")).doesNotExist();
    assertThat(figures.text()).contains("floats", "total", "archive/bound");
  }

  @Test
  void aFolderThatIsTakenIsLeftAlone() throws IOException {
    Files.createDirectories(archive);
    Files.writeString(archive.resolve("mine.txt"), "x");
    fails(this::archive, DestinationException.class, "archive is not empty: it holds mine.txt");
    assertThat(contents(archive)).containsExactly("mine.txt 78");

    Files.delete(archive.resolve("mine.txt"));
    archive();
    Files.createDirectories(back);
    Files.writeString(back.resolve("mine.txt"), "x");
    fails(this::restore, DestinationException.class, "back is not empty: it holds mine.txt");
    assertThat(contents(back)).containsExactly("mine.txt 78");
  }

  @Test
  void nothingIsWrittenIntoWhatIsRead() throws IOException {
    List<String> before = contents(model);
    archive = model.resolve("archive");
    fails(this::archive, DestinationException.class, "are in one another");
    archive = folder;
    fails(this::archive, DestinationException.class, "are in one another");
    archive = model.resolve("config.json");
    fails(this::archive, DestinationException.class, "are in one another");
    assertThat(contents(model)).isEqualTo(before);
  }

  @Test
  void aDestinationThatIsAFileIsRefused() throws IOException {
    Files.writeString(archive, "x");
    fails(this::archive, DestinationException.class, "archive cannot be a folder");
  }

  @Test
  void whatIsNoCheckpointIsRefused() throws IOException {
    model = folder.resolve("none");
    fails(this::archive, InputException.class, "There is no checkpoint in", "none");
    Files.createDirectories(model);
    Files.writeString(model.resolve("notes.txt"), "x");
    fails(this::archive, InputException.class, "holds neither model.safetensors nor");
    assertThat(archive).doesNotExist();
  }

  @Test
  void whatARunHasNotFinishedIsRefused() throws IOException {
    Files.writeString(model.resolve("run.json"), "{}");
    fails(this::archive, InputException.class, "holds run.json, but no _SUCCESS.json");
    Files.delete(model.resolve("run.json"));
    Files.createDirectory(model.resolve("_staging"));
    fails(this::archive, InputException.class, "holds the folder '_staging'");
    assertThat(archive).doesNotExist();
  }

  @Test
  void whatIsNeverCopiedIsNotLeftOutInSilence() throws IOException {
    Files.writeString(model.resolve("modeling.py"), "x");
    fails(this::archive, InputException.class, "holds 'modeling.py'", "Move it elsewhere");
    assertThat(archive).doesNotExist();
  }

  @Test
  void linksThatLeadOutsideAreNotFollowed() throws IOException {
    Files.writeString(folder.resolve("secret"), "x");
    Files.createSymbolicLink(model.resolve("notes.txt"), folder.resolve("secret"));
    fails(this::archive, InputException.class, "notes.txt", "is a link to", "secret");
    assertThat(archive).doesNotExist();
  }

  @Test
  void aCheckpointThatIsNotAsRecordedIsRefused() throws IOException {
    Files.writeString(
        model.resolve("_SUCCESS.json"),
        """
        {"format": "shardpress-run/1", "run_id": "x",
         "files": [{"name": "config.json", "bytes": 1, "sha256": "%s"}]}
        """
            .formatted("0".repeat(64)));
    fails(this::archive, InputException.class, "config.json is not there as _SUCCESS.json records");
    assertThat(contents(archive)).isEmpty();
  }

  @Test
  void aDamagedArchiveLeavesNothingBehind() throws IOException {
    archive();
    Path coded = archive.resolve("model.safetensors.coded");
    byte[] bytes = Files.readAllBytes(coded);
    bytes[bytes.length / 2] ^= 4;
    Files.write(coded, bytes);
    fails(this::restore, InputException.class, "archive/model.safetensors.coded is damaged");
    assertThat(contents(back)).isEmpty();

    Files.write(coded, java.util.Arrays.copyOf(bytes, 1000));
    fails(this::restore, InputException.class, "model.safetensors.coded is damaged", "1000 bytes");
    Files.delete(coded);
    fails(this::restore, InputException.class, "There is no", "model.safetensors.coded");
    assertThat(contents(back)).isEmpty();

    Files.delete(archive.resolve("archive.json"));
    fails(this::restore, InputException.class, "holds no complete archive.json");
    assertThat(contents(back)).isEmpty();
  }

  private static void fails(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable command,
      Class<? extends ShardpressException> type,
      String... parts) {
    assertThatThrownBy(command).isInstanceOf(type).hasMessageContainingAll(parts);
  }
}
