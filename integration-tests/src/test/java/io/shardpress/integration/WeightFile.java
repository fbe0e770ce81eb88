package io.shardpress.integration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A safetensors file taken apart without the reader under test, so that it can be put together
 * wrongly.
 *
 * @param header the JSON before the data
 */
@SuppressWarnings("ArrayRecordComponent")
record WeightFile(ObjectNode header, byte[] data) {
  private static final ObjectMapper JSON = new ObjectMapper();

  static WeightFile read(Path file) {
    ByteBuffer bytes = ByteBuffer.wrap(Folders.bytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] json = new byte[(int) bytes.getLong()];
    bytes.get(json);
    byte[] data = new byte[bytes.remaining()];
    bytes.get(data);
    try {
      return new WeightFile((ObjectNode) JSON.readTree(json), data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void write(Path file) {
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    write(file, json.length);
  }

  /** Writes the file with another length of the header than it has. */
  void write(Path file, long declaredLength) {
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(declaredLength).put(json).put(data);
    Folders.write(file, bytes.array());
  }

  /** The declaration of a tensor, to be changed in place. */
  ObjectNode tensor(String name) {
    return (ObjectNode) header.get(name);
  }

  /** The same file without a tensor, whole and without gaps. */
  WeightFile without(String tensor) {
    ObjectNode rest = header.deepCopy();
    JsonNode gap = rest.remove(tensor).path("data_offsets");
    long begin = gap.get(0).asLong();
    long length = gap.get(1).asLong() - begin;
    for (Map.Entry<String, JsonNode> entry : rest.properties()) {
      JsonNode offsets = entry.getValue().path("data_offsets");
      if (offsets.path(0).asLong() > begin) {
        ((ObjectNode) entry.getValue())
            .putArray("data_offsets")
            .add(offsets.get(0).asLong() - length)
            .add(offsets.get(1).asLong() - length);
      }
    }
    byte[] shorter = Arrays.copyOf(data, (int) (data.length - length));
    int after = (int) (begin + length);
    System.arraycopy(data, after, shorter, (int) begin, data.length - after);
    return new WeightFile(rest, shorter);
  }

  /** Overwrites the first values of a tensor of 16-bit values. */
  void poke(String tensor, short bits) {
    int begin = tensor(tensor).path("data_offsets").get(0).asInt();
    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putShort(begin, bits);
  }
}
