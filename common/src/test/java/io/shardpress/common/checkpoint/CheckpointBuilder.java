package io.shardpress.common.checkpoint;

import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.InMemoryStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Puts checkpoints into a store, right or wrong. */
final class CheckpointBuilder {
  static final String CONFIG = "{\"model_type\":\"llama\",\"dtype\":\"bfloat16\"}";

  private final InMemoryStore store = new InMemoryStore();
  private final Location root;

  CheckpointBuilder(String root) {
    this.root = Location.of(root);
  }

  static CheckpointBuilder withConfig() {
    return new CheckpointBuilder("s3a://bucket/model").text("config.json", CONFIG);
  }

  CheckpointBuilder text(String name, String content) {
    store.put(root.child(name), content.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  CheckpointBuilder weights(String name, TensorSpec... specs) {
    store.put(root.child(name), safetensors(specs));
    return this;
  }

  InMemoryStore store() {
    return store;
  }

  Location root() {
    return root;
  }

  Checkpoint open() {
    return Checkpoint.open(store, root);
  }

  /** Every tensor's bytes count 0, 1, 2, … */
  static byte[] safetensors(TensorSpec... specs) {
    SafetensorsLayout layout = SafetensorsLayout.of(List.of(specs));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SafetensorsWriter writer = new SafetensorsWriter(out, layout)) {
      layout.specs().forEach(spec -> writer.write(tensor(spec)));
      writer.finish();
    }
    return out.toByteArray();
  }

  static RawTensor tensor(TensorSpec spec) {
    byte[] bytes = new byte[(int) spec.bytes()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    return new RawTensor(spec, ByteBuffer.wrap(bytes));
  }
}
