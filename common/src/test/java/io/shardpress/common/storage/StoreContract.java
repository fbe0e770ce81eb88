package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What {@link Store} promises, asked of every implementation. */
abstract class StoreContract {

  abstract Store store();

  /** An empty place to work in; it need not exist. */
  abstract Location root();

  @Test
  void readsBackWhatItWrote() throws IOException {
    Location file = root().child("deep").child("er").child("a file%20.txt");
    write(store().create(file), "hello world");

    assertThat(store().exists(file)).isTrue();
    assertThat(store().length(file)).isEqualTo(11);
    assertThat(text(store().readAll(file, 11))).isEqualTo("hello world");
    assertThat(range(file, 6, ByteBuffer.allocate(5))).isEqualTo("world");
    assertThat(range(file, 6, ByteBuffer.allocateDirect(5))).isEqualTo("world");
    assertThat(range(file, 11, ByteBuffer.allocate(0))).isEmpty();
  }

  @Test
  void fillsTheBufferBetweenPositionAndLimit() throws IOException {
    Location file = root().child("file");
    write(store().create(file), "hello world");
    ByteBuffer into = ByteBuffer.wrap("..........".getBytes(StandardCharsets.UTF_8), 2, 5);

    store().read(file, 6, into);

    assertThat(text(into.array())).isEqualTo("..world...");
    assertThat(into.hasRemaining()).isFalse();
  }

  @Test
  void neverOverwritesOnCreate() throws IOException {
    Location file = root().child("file");
    write(store().create(file), "first");

    assertThatThrownBy(() -> write(store().create(file), "second"))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining(file.uri())
        .hasMessageContaining("exists already");
    assertThat(text(store().readAll(file, 100))).isEqualTo("first");
  }

  @Test
  void createdFoldersAreOccupiedToo() throws IOException {
    write(store().create(root().child("folder").child("file")), "x");

    assertThatThrownBy(() -> write(store().create(root().child("folder")), "second"))
        .isInstanceOf(DestinationException.class);
  }

  @Test
  void replacesOnRequest() throws IOException {
    Location file = root().child("run.json");
    write(store().replace(file), "a longer first text");
    write(store().replace(file), "second");

    assertThat(text(store().readAll(file, 100))).isEqualTo("second");
  }

  @Test
  void scratchFilesAreReplacedAndReadLikeOthers() throws IOException {
    Location file = root().child("deep").child("scratch");
    write(store().scratch(file), "a longer first text");
    write(store().scratch(file), "second");

    assertThat(text(store().readAll(file, 100))).isEqualTo("second");
  }

  @Test
  void listsNamesInOrderAndNothingElse() throws IOException {
    write(store().create(root().child("b")), "22");
    write(store().create(root().child("a")), "1");
    write(store().create(root().child("c").child("inner")), "1");

    assertThat(store().list(root()))
        .containsExactly(
            new Store.Entry("a", 1, false),
            new Store.Entry("b", 2, false),
            new Store.Entry("c", 0, true));
    assertThat(store().list(root().child("absent"))).isEmpty();
    assertThatThrownBy(() -> store().list(root().child("a")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is a file");
  }

  @Test
  void namesWhatIsMissing() {
    Location file = root().child("absent.json");

    assertThat(store().exists(file)).isFalse();
    assertThatThrownBy(() -> store().length(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.uri());
    assertThatThrownBy(() -> store().open(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.uri())
        .hasMessageContaining("Check the path");
  }

  @Test
  void refusesToReadFoldersLongFilesAndBeyondTheEnd() throws IOException {
    Location file = root().child("folder").child("file");
    write(store().create(file), "hello");

    assertThatThrownBy(() -> store().open(root().child("folder")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is a folder");
    assertThatThrownBy(() -> store().readAll(file, 4))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has 5 bytes; at most 4");
    assertThatThrownBy(() -> store().read(file, 3, ByteBuffer.allocate(3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("ends at byte 5, but bytes 3 to 6");
  }

  @Test
  void deletesFilesAndFolders() throws IOException {
    write(store().create(root().child("file")), "x");
    write(store().create(root().child("folder").child("a").child("b")), "x");
    write(store().create(root().child("folders").child("kept")), "x");

    store().delete(root().child("file"));
    store().delete(root().child("folder"));
    store().delete(root().child("absent"));

    assertThat(store().list(root())).extracting(Store.Entry::name).containsExactly("folders");
  }

  @Test
  void movesAFileButNeverInThePlaceOfOne() throws IOException {
    Location from = root().child("from");
    Location to = root().child("folder").child("to");
    write(store().create(from), "first");
    assertThat(store().movesAtOnce(to)).isTrue();

    assertThat(store().move(from, to)).isTrue();
    assertThat(store().exists(from)).isFalse();
    write(store().create(from), "second");
    assertThat(store().move(from, to)).isFalse();

    assertThat(text(store().readAll(to, 10))).isEqualTo("first");
    assertThat(text(store().readAll(from, 10))).as("it stays").isEqualTo("second");
  }

  @Test
  void writesLargeFilesWholeAndReadsAnyPart() throws IOException {
    byte[] bytes = new byte[3_000_001];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31 + i / 251);
    }
    Location file = root().child("large");
    try (OutputStream out = store().create(file)) {
      out.write(bytes[0]);
      out.write(bytes, 1, bytes.length - 1);
    }

    assertThat(store().readAll(file, bytes.length)).isEqualTo(bytes);
    ByteBuffer direct = ByteBuffer.allocateDirect(2_500_000);
    store().read(file, 123, direct);
    assertThat(direct.flip()).isEqualTo(ByteBuffer.wrap(bytes, 123, 2_500_000));
  }

  private String range(Location file, long offset, ByteBuffer into) {
    store().read(file, offset, into);
    byte[] bytes = new byte[into.flip().remaining()];
    into.get(bytes);
    return text(bytes);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  static void write(OutputStream out, String text) throws IOException {
    try (out) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
