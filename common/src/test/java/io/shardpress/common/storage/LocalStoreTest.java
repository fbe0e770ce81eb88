package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalStoreTest extends StoreContract {
  @TempDir Path folder;

  private final HadoopStore store = HadoopStore.of(new Configuration(false));

  @Override
  Store store() {
    return store;
  }

  @Override
  Location root() {
    return Location.of(folder.resolve("root").toString());
  }

  @Test
  void twoWritersOfOneNameCannotBothSucceed() throws IOException {
    Location file = root().child("file");
    try (OutputStream first = store.create(file)) {
      assertThatThrownBy(() -> store.create(file)).isInstanceOf(DestinationException.class);
      first.write('1');
    }
    assertThat(store.length(file)).isEqualTo(1);
  }

  @Test
  void saysWhyItCannotWrite() throws IOException {
    Location file = root().child("file");
    write(store.create(file), "not a folder");

    assertThatThrownBy(() -> store.create(file.child("below")))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("file/below")
        .hasMessageContaining("root/file: a file, not a folder");
  }

  @Test
  void followsLinksWhenAskedAndRemovesThemUnfollowed() throws IOException {
    Path outside = Files.writeString(folder.resolve("outside"), "kept");
    Files.createDirectories(folder.resolve("root"));
    Files.createSymbolicLink(folder.resolve("root/link"), outside);
    Files.createSymbolicLink(folder.resolve("root/nowhere"), folder.resolve("absent"));

    assertThat(store.resolve(root().child("link").child("below")))
        .as("what lies below a file does not exist, but is no fault of the storage")
        .isEqualTo(root().child("link").child("below"));
    assertThat(store.resolve(root().child("link")))
        .isEqualTo(Location.of(outside.toRealPath().toString()));
    assertThat(store.list(root())).extracting(Store.Entry::name).contains("link", "nowhere");
    store.delete(root());
    assertThat(outside).hasContent("kept");
    assertThat(folder.resolve("root")).doesNotExist();
  }

  @Test
  void travelsToATaskWithItsConfiguration() throws Exception {
    Configuration configuration = new Configuration(false);
    configuration.setClass(
        "fs.plain.impl", PlainFileSystem.class, org.apache.hadoop.fs.FileSystem.class);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(HadoopStore.of(configuration));
    }
    Store copy;
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      copy = (Store) in.readObject();
    }
    Path file = Files.writeString(folder.resolve("file"), "hello");

    assertThat(copy.readAll(Location.of("plain:" + file), 10))
        .isEqualTo("hello".getBytes(StandardCharsets.UTF_8));
  }
}
