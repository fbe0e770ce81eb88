package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.storage.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.ByteArrayReadableSeekableByteChannel;

/** A chunk of sequences as an Arrow IPC file: column {@code input_ids}, lists of int32. */
final class TokenFile {
  private TokenFile() {}

  static String name(int chunk) {
    return "tokens-%05d.arrow".formatted(chunk);
  }

  /** SHA-256 of ids as little-endian int32. */
  static String digest(int[] ids) {
    ByteBuffer bytes = ByteBuffer.allocate(ids.length * Integer.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(ids);
    return new Sha256().add(bytes).hex();
  }

  /** The file with {@code ids}, {@code [sequences, length]} row-major; equal ids, equal bytes. */
  static byte[] encode(int[] ids, int length) {
    int sequences = ids.length / length;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(ids.length * Integer.BYTES + 4096);
    try (BufferAllocator allocator = new RootAllocator();
        VectorSchemaRoot root = FixedLists.allocate(schema(length), allocator, sequences);
        ArrowFileWriter writer = new ArrowFileWriter(root, null, Channels.newChannel(bytes))) {
      FixedLists.values(root, ids.length).asIntBuffer().put(ids);
      writer.start();
      writer.writeBatch();
      writer.end();
    } catch (IOException e) {
      throw new IllegalStateException("Writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  /** The ids of a file that {@link #encode} made; anything else is an InputException. */
  static int[] decode(byte[] bytes, int sequences, int length, Location file) {
    try (BufferAllocator allocator = new RootAllocator();
        ArrowFileReader reader =
            new ArrowFileReader(new ByteArrayReadableSeekableByteChannel(bytes), allocator)) {
      VectorSchemaRoot root = reader.getVectorSchemaRoot();
      if (!root.getSchema().equals(schema(length))
          || !reader.loadNextBatch()
          || root.getRowCount() != sequences) {
        throw new InputException(
            "%s does not hold %d sequences of %d tokens. Delete its folder and start again."
                .formatted(file, sequences, length));
      }
      int[] ids = new int[sequences * length];
      FixedLists.values(root, ids.length).asIntBuffer().get(ids);
      return ids;
    } catch (IOException e) {
      throw new InputException(
          "Cannot read %s: %s. Delete its folder and start again.".formatted(file, e.getMessage()),
          e);
    }
  }

  private static Schema schema(int length) {
    return FixedLists.schema("input_ids", new ArrowType.Int(32, true), length, Map.of());
  }
}
