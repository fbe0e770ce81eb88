package io.shardpress.operators.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The reference checkpoints under {@code SHARDPRESS_REFERENCES}. */
final class References {
  private References() {}

  static Optional<Path> root() {
    return Optional.ofNullable(System.getenv("SHARDPRESS_REFERENCES")).map(Path::of);
  }

  static List<Path> folders(Path parent) {
    try (Stream<Path> files = Files.list(parent)) {
      return files.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ModelConfig config(Path folder) {
    Path file = folder.resolve("config.json");
    try {
      return ModelConfig.parse(file.toString(), Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All tensors of the checkpoint, without those of the reference file. */
  static Map<String, RawTensor> weights(Path folder) {
    Map<String, RawTensor> all = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      files
          .filter(file -> file.getFileName().toString().matches("model.*\\.safetensors"))
          .forEach(file -> all.putAll(tensors(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }

  static Map<String, RawTensor> tensors(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      int header = Math.toIntExact(bytes.getLong());
      byte[] json = Arrays.copyOfRange(bytes.array(), 8, 8 + header);
      Map<String, RawTensor> tensors = new TreeMap<>();
      for (Map.Entry<String, JsonNode> entry :
          StrictJson.parse(file.toString(), json).properties()) {
        if (!entry.getKey().equals("__metadata__")) {
          tensors.put(entry.getKey(), tensor(entry, bytes, 8 + header));
        }
      }
      return tensors;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static RawTensor tensor(Map.Entry<String, JsonNode> entry, ByteBuffer bytes, int start) {
    JsonNode fields = entry.getValue();
    List<Long> shape = new ArrayList<>();
    fields.get("shape").forEach(dimension -> shape.add(dimension.asLong()));
    DType type = DType.named(fields.get("dtype").asText()).orElseThrow();
    int begin = fields.get("data_offsets").get(0).asInt();
    int end = fields.get("data_offsets").get(1).asInt();
    return new RawTensor(
        new TensorSpec(entry.getKey(), type, shape), bytes.slice(start + begin, end - begin));
  }
}
