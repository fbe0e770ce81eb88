package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.impl.UnionListWriter;
import org.apache.arrow.vector.compression.CompressionUtil;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.ArrowWriter;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrowRowsTest {
  @TempDir Path folder;

  private final BufferAllocator allocator = new RootAllocator();

  /** IPC as file, as stream (what the datasets library caches), and compressed (Feather). */
  private enum Form {
    FILE,
    STREAM,
    COMPRESSED
  }

  @Test
  void stringsAreTextsOverAllBatches() throws IOException {
    for (Form form : Form.values()) {
      Path file = write(form, texts("one", "two"), 2);
      assertThat(Given.rows(file, Optional.empty()))
          .as(form.name())
          .containsExactly(
              new DataRow.Text("one"),
              new DataRow.Text("two"),
              new DataRow.Text("one"),
              new DataRow.Text("two"));
    }
  }

  @Test
  void listsAreReadyIds() throws IOException {
    Path file = write(Form.FILE, lists(new long[] {1, 2, 3}, new long[] {4}), 1);
    List<DataRow> rows = Given.rows(file, Optional.of("input_ids"));
    assertThat(rows).hasSize(2);
    assertThat(((DataRow.Ids) rows.get(0)).ids()).containsExactly(1, 2, 3);
    assertThat(((DataRow.Ids) rows.get(1)).ids()).containsExactly(4);
  }

  @Test
  void ourOwnChunksAreReadyIds() throws IOException {
    Path file = folder.resolve("tokens.arrow");
    Files.write(file, TokenFile.encode(new int[] {1, 2, 3, 4, 5, 6}, 3));
    assertThat(Given.rows(file, Optional.empty()))
        .extracting(row -> ((DataRow.Ids) row).ids())
        .containsExactly(new long[] {1, 2, 3}, new long[] {4, 5, 6});
  }

  @Test
  void aMissingColumnListsThoseThereAre() throws IOException {
    Path file = write(Form.FILE, texts("one"), 1);
    assertThatThrownBy(() -> Given.rows(file, Optional.of("story")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has no field 'story'; it has text");
  }

  @Test
  void aColumnOfAnotherTypeIsRefused() throws IOException {
    Float8Vector numbers = new Float8Vector("text", allocator);
    numbers.setSafe(0, 1.5);
    numbers.setValueCount(1);
    Path file = write(Form.FILE, numbers, 1);
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Field 'text' of")
        .hasMessageContaining("FloatingPoint(DOUBLE)");
  }

  @Test
  void aNullIsNamedByRow() throws IOException {
    VarCharVector texts = texts("one", "two");
    texts.setNull(1);
    Path file = write(Form.FILE, texts, 1);
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("row 2 has no value in field 'text'");
  }

  @Test
  void aFileThatIsNotArrowIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("a.arrow"), "not Arrow, but longer than a magic");
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("a.arrow as Arrow IPC: it starts like neither a file nor a stream");
  }

  @Test
  void aFileThatIsCutOffIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(write(Form.FILE, texts("one", "two"), 3));
    Path file = folder.resolve("cut.arrow");
    Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> Given.rows(file, Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("cut.arrow as Arrow IPC");
  }

  private VarCharVector texts(String... texts) {
    VarCharVector vector = new VarCharVector("text", allocator);
    for (int i = 0; i < texts.length; i++) {
      vector.setSafe(i, texts[i].getBytes(StandardCharsets.UTF_8));
    }
    vector.setValueCount(texts.length);
    return vector;
  }

  private ListVector lists(long[]... rows) {
    ListVector vector = ListVector.empty("input_ids", allocator);
    UnionListWriter writer = vector.getWriter();
    for (long[] row : rows) {
      writer.startList();
      for (long id : row) {
        writer.writeBigInt(id);
      }
      writer.endList();
    }
    vector.setValueCount(rows.length);
    assertThat(vector.getDataVector()).isInstanceOf(BigIntVector.class);
    return vector;
  }

  @AfterEach
  void everythingWasFreed() {
    allocator.close();
  }

  /** Writes and frees the vector; its rows in each of {@code batches} batches. */
  private Path write(Form form, FieldVector vector, int batches) throws IOException {
    Path file = folder.resolve(form == Form.COMPRESSED ? "z.feather" : form + ".arrow");
    try (OutputStream out = Files.newOutputStream(file);
        VectorSchemaRoot root = VectorSchemaRoot.of(vector);
        ArrowWriter writer = writer(form, root, out)) {
      writer.start();
      for (int i = 0; i < batches; i++) {
        writer.writeBatch();
      }
    }
    return file;
  }

  private static ArrowWriter writer(Form form, VectorSchemaRoot root, OutputStream out) {
    return switch (form) {
      case FILE -> new ArrowFileWriter(root, null, Channels.newChannel(out));
      case STREAM -> new ArrowStreamWriter(root, null, Channels.newChannel(out));
      case COMPRESSED ->
          new ArrowFileWriter(
              root,
              null,
              Channels.newChannel(out),
              Map.of(),
              IpcOption.DEFAULT,
              CommonsCompressionFactory.INSTANCE,
              CompressionUtil.CodecType.LZ4_FRAME);
    };
  }
}
