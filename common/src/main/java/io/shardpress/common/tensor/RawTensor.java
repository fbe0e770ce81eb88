package io.shardpress.common.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor's bytes in memory: row-major, little-endian, at most 2 GiB.
 *
 * @param bytes position 0 to limit hold the data; owned by whoever holds the record. {@link
 *     #data()} hands out an independent little-endian view.
 */
public record RawTensor(TensorSpec spec, ByteBuffer bytes) implements TensorSource {
  public RawTensor {
    if (bytes.remaining() != spec.bytes()) {
      throw new IllegalArgumentException(
          "Tensor %s needs %d bytes, got %d".formatted(spec, spec.bytes(), bytes.remaining()));
    }
  }

  /** A fresh little-endian view of the data, position 0. */
  public ByteBuffer data() {
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void read(long offset, ByteBuffer into) {
    into.put(bytes.slice(Math.toIntExact(bytes.position() + offset), into.remaining()));
  }
}
