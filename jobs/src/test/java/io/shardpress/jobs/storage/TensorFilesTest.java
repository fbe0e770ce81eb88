package io.shardpress.jobs.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorFilesTest {
  private final HadoopStore store = TinyCheckpoint.store();

  @TempDir private Path folder;

  @Test
  void readsWhatWasWritten() throws IOException {
    Location file = Location.of(folder.resolve("a.safetensors").toString());
    RawTensor first = tensor("b", DType.I32, 1, 2, 3, 4, 5, 6, 7, 8);
    RawTensor second = tensor("a", DType.I8, 9, 10, 11);

    PublishedFile written = TensorFiles.write(store, file, List.of(first, second));

    byte[] bytes = Files.readAllBytes(folder.resolve("a.safetensors"));
    assertThat(written)
        .isEqualTo(new PublishedFile("a.safetensors", bytes.length, Sha256.of(bytes)));
    assertThat(TensorFiles.read(store, file)).containsOnlyKeys("a", "b");
    assertThat(TensorFiles.read(store, file).get("b").data()).isEqualTo(first.data());
    assertThat(TensorFiles.read(store, file).get("a").spec()).isEqualTo(second.spec());
  }

  @Test
  void replacesWhatAnEarlierAttemptLeft() throws IOException {
    Path path = folder.resolve("a.safetensors");
    Files.write(path, new byte[10_000]);
    Location file = Location.of(path.toString());

    TensorFiles.write(store, file, List.of(tensor("x", DType.I8, 1)));

    assertThat(TensorFiles.read(store, file)).containsOnlyKeys("x");
  }

  @Test
  void writesFilesWithoutTensors() {
    Location file = Location.of(folder.resolve("none.safetensors").toString());
    TensorFiles.write(store, file, List.of());
    assertThat(TensorFiles.read(store, file)).isEmpty();
  }

  private static RawTensor tensor(String name, DType type, int... bytes) {
    byte[] data = new byte[bytes.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) bytes[i];
    }
    return new RawTensor(
        TensorSpec.of(name, type, data.length * 8 / type.bits()), ByteBuffer.wrap(data));
  }
}
