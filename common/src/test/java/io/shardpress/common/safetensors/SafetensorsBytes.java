package io.shardpress.common.safetensors;

import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Files made by hand. */
final class SafetensorsBytes {
  static final Location FILE = Location.of("memory:/model.safetensors");

  private SafetensorsBytes() {}

  static byte[] file(String json, int dataBytes) {
    return file(json.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  /** A file whose data bytes count 0, 1, 2, … */
  static byte[] file(byte[] json, int dataBytes) {
    return file(json.length, json, dataBytes);
  }

  static byte[] file(long declaredLength, byte[] json, int dataBytes) {
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(declaredLength).put(json);
    for (int i = 0; i < dataBytes; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  static InMemoryStore store(byte[] file) {
    InMemoryStore store = new InMemoryStore();
    store.put(FILE, file);
    return store;
  }

  static SafetensorsHeader header(byte[] file) {
    try (SeekableInput input = store(file).open(FILE)) {
      return SafetensorsHeader.read(FILE.toString(), input);
    }
  }
}
