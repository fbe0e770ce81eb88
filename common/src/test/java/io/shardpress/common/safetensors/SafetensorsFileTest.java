package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  private static final String JSON =
      "{\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
          + "\"w\":{\"dtype\":\"I16\",\"shape\":[4,3],\"data_offsets\":[1,25]},"
          + "\"e\":{\"dtype\":\"I16\",\"shape\":[0,3],\"data_offsets\":[25,25]},"
          + "\"f\":{\"dtype\":\"F4\",\"shape\":[2,1],\"data_offsets\":[25,26]}}";

  private final SafetensorsFile file =
      SafetensorsFile.read(
          SafetensorsBytes.store(SafetensorsBytes.file(JSON, 26)), SafetensorsBytes.FILE);

  @Test
  void readsATensorAndARangeOfItsRows() {
    assertThat(file.tensor("s")).isEqualTo(raw(TensorSpec.of("s", DType.U8), 0, 1));
    assertThat(file.tensor("w")).isEqualTo(raw(TensorSpec.of("w", DType.I16, 4, 3), 1, 25));
    assertThat(file.rows("w", 1, 3)).isEqualTo(raw(TensorSpec.of("w", DType.I16, 2, 3), 7, 19));
    assertThat(file.rows("w", 2, 2)).isEqualTo(raw(TensorSpec.of("w", DType.I16, 0, 3), 0, 0));
    assertThat(file.rows("e", 0, 0)).isEqualTo(raw(TensorSpec.of("e", DType.I16, 0, 3), 0, 0));
    assertThat(file.length()).isEqualTo(8 + JSON.length() + 26);
  }

  @Test
  void readsATensorInParts() {
    TensorSource source = file.source("w");
    ByteBuffer part = ByteBuffer.allocateDirect(7);

    source.read(5, part);

    assertThat(source.spec()).isEqualTo(TensorSpec.of("w", DType.I16, 4, 3));
    assertThat(part.flip()).isEqualTo(raw(TensorSpec.of("x", DType.U8, 7), 6, 13).bytes());
    assertThatThrownBy(() -> source.read(20, ByteBuffer.allocate(5)))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("5 bytes from 20 of TensorSpec[name=w");
    source.read(24, ByteBuffer.allocate(0));
    assertThatThrownBy(() -> file.source("v"))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("holds no tensor 'v'");
  }

  @Test
  void gathersRowsInTheOrderAskedFor() {
    RawTensor rows = file.gather("w", new long[] {3, 0, 3});

    assertThat(rows.spec()).isEqualTo(TensorSpec.of("w", DType.I16, 3, 3));
    byte[] expected = {19, 20, 21, 22, 23, 24, 1, 2, 3, 4, 5, 6, 19, 20, 21, 22, 23, 24};
    assertThat(rows.bytes()).isEqualTo(ByteBuffer.wrap(expected));
    assertThat(file.gather("w", new long[0]).spec().shape()).containsExactly(0L, 3L);
  }

  @Test
  void gathersFarAndNearRowsOfALargeTensor() {
    int rows = 3000;
    String json =
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[%d,1000],\"data_offsets\":[0,%d]}}"
            .formatted(rows, rows * 1000);
    byte[] bytes = SafetensorsBytes.file(json, rows * 1000);
    long seed = 7;
    new Random(seed).nextBytes(bytes);
    System.arraycopy(SafetensorsBytes.file(json, 0), 0, bytes, 0, 8 + json.length());
    SafetensorsFile large =
        SafetensorsFile.read(SafetensorsBytes.store(bytes), SafetensorsBytes.FILE);
    long[] wanted = new Random(seed).longs(500, 0, rows).toArray();

    RawTensor gathered = large.gather("w", wanted);

    for (int i = 0; i < wanted.length; i++) {
      int from = 8 + json.length() + (int) wanted[i] * 1000;
      assertThat(gathered.bytes().slice(i * 1000, 1000))
          .as("seed %d, place %d, row %d", seed, i, wanted[i])
          .isEqualTo(ByteBuffer.wrap(bytes, from, 1000));
    }
  }

  @Test
  void namesTheTensorThatIsMissing() {
    assertThatThrownBy(() -> file.tensor("lm_head.weight"))
        .isInstanceOfSatisfying(
            CheckpointFormatException.class,
            e -> assertThat(e.code()).isEqualTo(CheckpointFormatException.Code.MISSING_TENSOR))
        .hasMessageContaining("memory:///model.safetensors holds no tensor 'lm_head.weight'");
  }

  @Test
  void refusesRowsThatAreNotThere() {
    assertThatThrownBy(() -> file.rows("w", 3, 5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("shape [4, 3] and no rows 3 to 5");
    assertThatThrownBy(() -> file.rows("w", -1, 2)).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> file.rows("w", 2, 1)).isInstanceOf(InputException.class);
    assertThatThrownBy(() -> file.rows("s", 0, 0))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no rows");
    assertThatThrownBy(() -> file.gather("w", new long[] {0, 4}))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no row 4");
    assertThatThrownBy(() -> file.rows("f", 0, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("byte borders");
  }

  @Test
  void refusesToReadMoreThanAnArrayHolds(@TempDir Path folder) throws IOException {
    String json =
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[3000000000],\"data_offsets\":[0,3000000000]}}";
    Path path = folder.resolve("sparse.safetensors");
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.write(SafetensorsBytes.file(json, 0));
      sparse.setLength(sparse.length() + 3_000_000_000L);
      sparse.seek(sparse.length() - 1);
      sparse.write(7);
    }
    SafetensorsFile large =
        SafetensorsFile.read(
            HadoopStore.of(new Configuration(false)), Location.of(path.toString()));

    assertThatThrownBy(() -> large.tensor("w"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("3000000000 bytes")
        .hasMessageContaining("Read fewer rows at a time");
    assertThat(large.rows("w", 2_999_999_998L, 3_000_000_000L).bytes())
        .isEqualTo(ByteBuffer.wrap(new byte[] {0, 7}));
  }

  private static RawTensor raw(TensorSpec spec, int from, int to) {
    byte[] bytes = new byte[to - from];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (from + i);
    }
    return new RawTensor(spec, ByteBuffer.wrap(bytes));
  }
}
