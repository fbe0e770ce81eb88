package io.shardpress.operators.quantization;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.tensor.*;
import io.shardpress.operators.linalg.Floats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import org.nd4j.linalg.api.ndarray.INDArray;

final class ReferenceTensors {
  private final byte[] bytes;
  private final JsonNode header;
  private final int start;

  private ReferenceTensors(Path file) {
    try {
      bytes = Files.readAllBytes(file);
      start = 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      header = new ObjectMapper().readTree(bytes, 8, start - 8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Optional<ReferenceTensors> solvers() {
    return Optional.ofNullable(System.getenv("SHARDPRESS_REFERENCES"))
        .map(folder -> new ReferenceTensors(Path.of(folder, "golden", "solvers.safetensors")));
  }

  Set<String> names() {
    Set<String> s = new TreeSet<>();
    header.fieldNames().forEachRemaining(s::add);
    s.remove("__metadata__");
    return s;
  }

  String metadata(String key) {
    return header.get("__metadata__").get(key).asText();
  }

  INDArray matrix(String name) {
    JsonNode e = header.get(name);
    int b = start + e.get("data_offsets").get(0).asInt(),
        t = start + e.get("data_offsets").get(1).asInt();
    return Floats.decode(
        new RawTensor(
            TensorSpec.of(
                name, DType.F32, e.get("shape").get(0).asLong(), e.get("shape").get(1).asLong()),
            ByteBuffer.wrap(bytes, b, t - b).slice()));
  }
}
