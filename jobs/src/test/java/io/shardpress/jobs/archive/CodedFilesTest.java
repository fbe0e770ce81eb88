package io.shardpress.jobs.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.archive.PackFile.Content;
import io.shardpress.jobs.archive.PackFile.Packed;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.Grid;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.CompressedTensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One file of a checkpoint, coded and decoded as tasks do it, without Spark. */
class CodedFilesTest {
  private static final long SEED = 4711;
  private static final String WEIGHTS = "model.safetensors";

  private final HadoopStore store = TinyCheckpoint.store();
  private final Random random = new Random(SEED);

  @TempDir private Path folder;

  private Location model() {
    return Location.of(folder.resolve("model").toString());
  }

  private Location archive() {
    return Location.of(folder.resolve("archive").toString());
  }

  private Packed pack(String name, Content content) throws IOException {
    long bytes = Files.size(folder.resolve("model").resolve(name));
    return new PackFile(store, model(), name, bytes, content, Destination.of(store, archive()))
        .run();
  }

  private byte[] unpack(ArchivedFile file) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(Unpacking.run(store, archive(), file, out)).isEqualTo(file.original());
    return out.toByteArray();
  }

  private byte[] source(String name) throws IOException {
    return Files.readAllBytes(folder.resolve("model").resolve(name));
  }

  /** A checkpoint of these tensors whose linears have this scheme. */
  private void write(Scheme scheme, List<RawTensor> tensors) throws IOException {
    Files.createDirectories(folder.resolve("model"));
    var config = JsonNodeFactory.instance.objectNode().put("model_type", "llama");
    config = new CompressedTensors().config(config, Map.of("a", scheme, "b", scheme), Set.of());
    Files.writeString(folder.resolve("model/config.json"), config.toString());
    SafetensorsLayout layout = SafetensorsLayout.of(tensors.stream().map(RawTensor::spec).toList());
    try (SafetensorsWriter writer =
        new SafetensorsWriter(Files.newOutputStream(folder.resolve("model/" + WEIGHTS)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        tensors.stream().filter(t -> t.spec().equals(spec)).forEach(writer::write);
      }
      writer.finish();
    }
    assertThat(Checkpoint.open(store, model()).names()).hasSize(tensors.size());
  }

  private static Scheme scheme(int bits) {
    return new Scheme(
        new Grid(bits, true), GroupSize.CHANNEL, ColumnOrder.NATURAL, Activations.NONE);
  }

  /** Bytes that are not all alike, so that coding pays. */
  private RawTensor tensor(String name, DType type, long... shape) {
    TensorSpec spec = TensorSpec.of(name, type, shape);
    byte[] bytes = new byte[(int) spec.bytes()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (3 * random.nextGaussian());
    }
    return new RawTensor(spec, ByteBuffer.wrap(bytes));
  }

  private static RawTensor shape(String name, long rows, long columns) {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(rows).putLong(columns);
    return new RawTensor(TensorSpec.of(name, DType.I64, 2), bytes.flip());
  }

  @Test
  void tensorsOfAllTypesComeBack() throws IOException {
    for (int bits : new int[] {2, 3, 4, 8}) {
      List<RawTensor> tensors = new ArrayList<>();
      for (DType type : DType.values()) {
        tensors.add(tensor("all." + type, type, 64, 32));
      }
      int words = (40 * bits + 31) / 32;
      tensors.add(tensor("a.weight_packed", DType.I32, 50, words)); // bits behind the codes, too
      tensors.add(shape("a.weight_shape", 50, 40));
      tensors.add(tensor("b.weight_packed", DType.I32, 80, 32));
      tensors.add(tensor("scalar", DType.BF16));
      tensors.add(tensor("nothing", DType.F32, 0, 7));
      tensors.add(tensor("weight", DType.I8, 300, 7));
      write(scheme(bits), tensors);

      ArchivedFile file = pack(WEIGHTS, Content.TENSORS).file();
      assertThat(unpack(file)).isEqualTo(source(WEIGHTS));
      Files.delete(folder.resolve("archive").resolve(file.coded().name()));
    }
  }

  @Test
  void codesAreFoundByTheConfigurationAndTheirShape() throws IOException {
    ByteBuffer packed = ByteBuffer.allocate(64 * 16).order(ByteOrder.LITTLE_ENDIAN);
    while (packed.hasRemaining()) {
      packed.putInt(0x78876688).putInt(0x88868887).putInt(0x88889888).putInt(0x00000008);
    }
    write(
        scheme(4),
        List.of(
            new RawTensor(
                TensorSpec.of("a.weight_packed", DType.I32, 64, 4), packed.duplicate().flip()),
            shape("a.weight_shape", 64, 25),
            tensor("a.weight_scale", DType.BF16, 64, 1)));

    Packed made = pack(WEIGHTS, Content.TENSORS);

    assertThat(made.figures().weights()).isEqualTo(64 * 25);
    assertThat(made.figures().kinds().get(Kind.CODES).sourceBytes()).isEqualTo(64 * 16);
    assertThat(made.figures().linearBytes()).isGreaterThan(made.figures().weightBytes());
    assertThat(unpack(made.file())).isEqualTo(source(WEIGHTS));
  }

  @Test
  void aConfigurationOfAnotherMethodMakesCodesBytes() throws IOException {
    write(scheme(4), List.of(tensor("a.weight_packed", DType.I32, 80, 32)));
    Files.writeString(
        folder.resolve("model/config.json"),
        "{\"model_type\": \"llama\", \"quantization_config\": {\"quant_method\": \"gptq\"}}");

    Packed made = pack(WEIGHTS, Content.TENSORS);

    assertThat(made.figures().weights()).isZero();
    assertThat(made.figures().kinds().get(Kind.CODES)).isEqualTo(Figure.NONE);
    assertThat(unpack(made.file())).isEqualTo(source(WEIGHTS));
  }

  @Test
  void figuresAreOfTheFileItself() throws IOException {
    TinyCheckpoint.llama(DType.BF16, SEED).write(folder.resolve("model"));
    Packed made = pack(WEIGHTS, Content.TENSORS);
    Figure total = made.figures().total();

    assertThat(total.sourceBytes()).isEqualTo(source(WEIGHTS).length);
    assertThat(total.archiveBytes())
        .isEqualTo(made.file().coded().bytes())
        .isEqualTo(Files.size(folder.resolve("archive/" + WEIGHTS + ".coded")))
        .isLessThan(total.sourceBytes());
  }

  @Test
  void plainFilesOfAnyLengthComeBack() throws IOException {
    Files.createDirectories(folder.resolve("model"));
    for (int length : new int[] {0, 1, 2, 1000, (4 << 20) - 1, 4 << 20, (4 << 20) + 1}) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      Arrays.fill(bytes, length / 2, length, (byte) 'x');
      Files.write(folder.resolve("model/f" + length), bytes);
      assertThat(unpack(pack("f" + length, Content.PLAIN).file())).isEqualTo(bytes);
    }
  }

  @Test
  void aTensorOfSeveralPartsIsDecodedPartByPart() throws IOException {
    write(scheme(4), List.of(tensor("long", DType.BF16, 3, 400_000)));
    Packed made = pack(WEIGHTS, Content.TENSORS);
    Location coded = archive().child(made.file().coded().name());

    CodedFileReader reader = CodedFileReader.open("it", new Window(store.open(coded)));

    Segment tensor = reader.segments().get(1);
    assertThat(tensor.name()).isEqualTo("long");
    assertThat(tensor.parts()).hasSize(3);
    byte[] source = source(WEIGHTS);
    int begin = source.length - 2_400_000;
    CodedFileReader.Parts parts = reader.parts(1);
    for (int part : new int[] {2, 0, 1}) {
      int at = begin + (part << 20);
      assertThat(parts.decode(part))
          .isEqualTo(ByteBuffer.wrap(source, at, Math.min(1 << 20, source.length - at)));
    }
  }

  /** Every byte of a small file in turn, and every shorter file. */
  @Test
  void aFileWithAnyChangedByteIsRefusedUnlessItGivesBackTheSame() throws IOException {
    write(
        scheme(3),
        List.of(
            tensor("b.weight_packed", DType.I32, 80, 3),
            shape("b.weight_shape", 80, 32),
            tensor("c", DType.F16, 700),
            tensor("d.weight", DType.I8, 700)));
    ArchivedFile file = pack(WEIGHTS, Content.TENSORS).file();
    Path coded = folder.resolve("archive").resolve(file.coded().name());
    byte[] whole = Files.readAllBytes(coded);
    int harmless = 0;
    for (int at = 0; at < whole.length; at++) {
      byte[] bytes = whole.clone();
      bytes[at] ^= (byte) (1 + random.nextInt(255));
      Files.write(coded, bytes);
      try {
        assertThat(unpack(file)).isEqualTo(source(WEIGHTS)); // such as another name in a directory
        harmless++;
      } catch (InputException e) {
        assertThat(e).hasMessageContaining("archive/" + file.coded().name());
      }
    }
    assertThat(harmless).as("seed %d", SEED).isLessThan(whole.length / 20);
    for (int length = 0; length < whole.length; length++) {
      Files.write(coded, Arrays.copyOf(whole, length));
      refuses(file);
      refuses(
          new ArchivedFile(
              file.original(), new PublishedFile(file.coded().name(), length, "0".repeat(64))));
    }
  }

  private void refuses(ArchivedFile file) {
    assertThatThrownBy(() -> unpack(file))
        .as("seed %d", SEED)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("archive/" + file.coded().name());
  }

  @Test
  void directoriesThatLieAreRefusedBeforeAnythingIsSetAside() throws IOException {
    String part = "{\"segments\":[{\"name\":\"\",\"coding\":%s,\"bytes\":%s,\"parts\":[%s]}]}";
    hostile(part.formatted("\"zstd\"", Long.MAX_VALUE, "1"), "are not in 1 parts");
    hostile(part.formatted("\"zstd\"", 5, "2000000000"), "a part of 5 bytes has 2000000000");
    hostile(part.formatted("\"zstd\"", 5, "3"), "its segments end at byte 11, not 8");
    hostile(part.formatted("\"other\"", 5, "3"), "its coding is unknown");
    hostile(
        part.formatted("\"packed\",\"bits\":9,\"columns\":1,\"head\":1", 4, "1"), "'bits' holds 9");
    hostile(
        part.formatted("\"packed\",\"bits\":4,\"columns\":1048577,\"head\":1", 4, "1"),
        "'columns'");
    hostile(part.formatted("\"f32\",\"head\":9999", 4, "1"), "'head' holds 9999");
    hostile(part.formatted("\"f32\",\"head\":1", 5, "1"), "5 bytes are not in 1 parts");
    hostile("{\"segments\":[", "not valid JSON");
  }

  private void hostile(String directory, String why) throws IOException {
    byte[] json = directory.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + 24)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put("SPCODED1".getBytes(StandardCharsets.US_ASCII))
            .put(json)
            .putLong(8)
            .putInt(json.length)
            .putInt(json.length)
            .put("SPCODED1".getBytes(StandardCharsets.US_ASCII));
    refuses(file.array(), why);
  }

  @Test
  void trailersThatLieAreRefused() throws IOException {
    refuses(new byte[31], "it has 31 bytes only");
    refuses(new byte[32], "it does not begin and end with SPCODED1");
    refuses(trailer(8, 0, 100 << 20), "its directory would have 104857600 bytes");
    refuses(trailer(8, 0, -1), "its directory would have 4294967295 bytes");
    refuses(trailer(8, 0, 60 << 20), "cannot be decoded");
    refuses(trailer(8, -1, 10), "its directory is not where it should be");
    refuses(trailer(Long.MAX_VALUE, 5, 10), "its directory is not where it should be");
  }

  private static byte[] trailer(long start, int length, int jsonLength) {
    byte[] magic = "SPCODED1".getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(32)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(magic)
        .putLong(start)
        .putInt(length)
        .putInt(jsonLength)
        .put(magic)
        .array();
  }

  private void refuses(byte[] coded, String why) throws IOException {
    Files.createDirectories(folder.resolve("archive"));
    Files.write(folder.resolve("archive/x.coded"), coded);
    ArchivedFile file =
        new ArchivedFile(
            new PublishedFile("x", 5, "0".repeat(64)),
            new PublishedFile("x.coded", coded.length, "0".repeat(64)));
    assertThatThrownBy(() -> unpack(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("archive/x.coded")
        .hasMessageContaining(why);
  }
}
