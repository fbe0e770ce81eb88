package io.shardpress.jobs.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.SealedJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveManifestTest {
  private static final String HASH = "0".repeat(64);

  private final Store store = TinyCheckpoint.store();

  @TempDir private Path folder;

  private static ArchivedFile file(String name) {
    return new ArchivedFile(
        new PublishedFile(name, 7, HASH), new PublishedFile(name + ".coded", 5, HASH));
  }

  private ArchiveManifest read() {
    return ArchiveManifest.read(store, Location.of(folder.toString()));
  }

  private void write(ObjectNode json) throws IOException {
    Files.write(folder.resolve("archive.json"), SealedJson.seal(json));
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    ArchiveManifest manifest =
        new ArchiveManifest(List.of(file("config.json"), file("model.safetensors")));
    write(manifest.json(Figures.NONE.plus(Kind.CODES, new Figure(7, 5, 4.5))));

    assertThat(read()).isEqualTo(manifest);
    assertThat(read().last()).isEqualTo(file("config.json"));
    assertThat(Files.readString(folder.resolve("archive.json")))
        .contains("\"format\":\"shardpress-archive/1\"")
        .contains(
            "\"codes\":{\"source_bytes\":7,\"archive_bytes\":5,\"bound_bytes\":5,\"ratio\":1.1");
  }

  @Test
  void theMarkOfSuccessIsTheLastFileOfARestore() {
    assertThat(new ArchiveManifest(List.of(file("_SUCCESS.json"), file("config.json"))).last())
        .isEqualTo(file("_SUCCESS.json"));
  }

  @Test
  void withoutItThereIsNoArchive() throws IOException {
    refuses("holds no complete archive.json, so it is no archive");
    Files.writeString(folder.resolve("archive.json"), "{\"format\":");
    refuses("holds no complete archive.json, so it is no archive");
  }

  @Test
  void changesAreSeen() throws IOException {
    ObjectNode json = new ArchiveManifest(List.of(file("config.json"))).json(Figures.NONE);
    String sealed = new String(SealedJson.seal(json), java.nio.charset.StandardCharsets.UTF_8);
    Files.writeString(folder.resolve("archive.json"), sealed.replace("\"bytes\":7", "\"bytes\":8"));
    refuses("archive.json was changed after it was written");
  }

  @Test
  void otherDocumentsAreRefused() throws IOException {
    refuses("{\"format\":\"other/1\"}", "is of the format 'other/1'");
    refuses("{\"format\":\"shardpress-archive/2\"}", "reads 'shardpress-archive/1'");
    refuses("{}", "'format' is missing");
    refuses("{\"format\":\"shardpress-archive/1\"}", "'files' is missing");
    refuses("{\"format\":\"shardpress-archive/1\",\"files\":[]}", "names no config.json");
    refuses("{\"format\":\"shardpress-archive/1\",\"files\":[{}]}", "'name' is missing");
    String entry =
        "{\"format\":\"shardpress-archive/1\",\"files\":[{\"name\":\"%s\",\"bytes\":%s,\"sha256\":\""
            + HASH
            + "\",\"coded\":\"%s\",\"coded_bytes\":1,\"coded_sha256\":\""
            + HASH
            + "\"}]}";
    refuses(entry.formatted("../x", 1, "x.coded"), "'../x' is refused");
    refuses(entry.formatted("x", 1, "/etc/passwd"), "'/etc/passwd' is refused");
    refuses(entry.formatted("x", -1, "x.coded"), "'bytes' holds -1");
    refuses(entry.formatted("x", "9223372036854775808", "x.coded"), "'bytes' holds");
    refuses(entry.formatted("model.py", 1, "x.coded"), "would give back 'model.py'");
    ObjectNode twice =
        new ArchiveManifest(List.of(file("config.json"), file("config.json"))).json(Figures.NONE);
    refuses(twice.toString(), "names config.json twice");
  }

  private void refuses(String json, String why) throws IOException {
    write((ObjectNode) new ObjectMapper().readTree(json));
    refuses(why);
  }

  private void refuses(String why) {
    assertThatThrownBy(this::read).isInstanceOf(InputException.class).hasMessageContaining(why);
  }
}
