package io.shardpress.operators.compression;

import io.shardpress.common.safetensors.SafetensorsHeader;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.operators.linalg.Floats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A small safetensors file of reference values, wholly in memory. */
final class ReferenceTensors {
  private final byte[] bytes;
  private final SafetensorsHeader header;

  private ReferenceTensors(Path file) {
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    long json = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    header =
        SafetensorsHeader.parse(
            file.toString(), Arrays.copyOfRange(bytes, 8, (int) (8 + json)), bytes.length);
  }

  /** {@code golden/solvers.safetensors}, when {@code SHARDPRESS_REFERENCES} is set. */
  static Optional<ReferenceTensors> solvers() {
    return Optional.ofNullable(System.getenv("SHARDPRESS_REFERENCES"))
        .map(folder -> new ReferenceTensors(Path.of(folder, "golden", "solvers.safetensors")));
  }

  Set<String> names() {
    return header.tensors().keySet();
  }

  String metadata(String key) {
    return header.metadata().get(key);
  }

  INDArray matrix(String name) {
    SafetensorsHeader.Entry entry = header.tensors().get(name);
    ByteBuffer data =
        ByteBuffer.wrap(bytes, (int) entry.begin(), (int) (entry.end() - entry.begin())).slice();
    return Floats.decode(new RawTensor(entry.spec(), data));
  }
}
