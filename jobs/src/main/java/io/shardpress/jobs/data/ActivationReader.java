package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Reads a shard of activations from its first row to its last. Used by one thread. */
public final class ActivationReader implements AutoCloseable {
  private final Location file;
  private final BufferAllocator allocator = new RootAllocator();
  private final ArrowFileReader reader;
  private final VectorSchemaRoot batch;
  private final long rows;
  private final int hidden;
  private long read;
  private int batchRow;

  ActivationReader(Store store, Location file) {
    this.file = file;
    this.reader = new ArrowFileReader(new StoreChannel(store, file), allocator);
    try {
      batch = reader.getVectorSchemaRoot();
      Schema schema = batch.getSchema();
      rows = Long.parseLong(schema.getCustomMetadata().get(ActivationShards.ROWS));
      hidden = ((ArrowType.FixedSizeList) schema.getFields().get(0).getType()).getListSize();
      if (!schema.equals(ActivationShards.schema(rows, hidden))) {
        throw new IllegalArgumentException("its columns are " + schema.getFields());
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw unreadable(e);
    }
  }

  /** Rows of the whole shard. */
  public long rows() {
    return rows;
  }

  /** Values of one row. */
  public int hidden() {
    return hidden;
  }

  /**
   * Fills {@code into} with the next rows, row-major from its start, as many as fit and are left.
   *
   * @return the number of rows, 0 after the last
   */
  public int read(float[] into) {
    int wanted = (int) Math.min(into.length / hidden, rows - read);
    int count = 0;
    while (count < wanted) {
      if (batchRow == batch.getRowCount()) {
        loadBatch();
      }
      int some = Math.min(wanted - count, batch.getRowCount() - batchRow);
      FixedLists.values(batch, batch.getRowCount() * hidden)
          .asFloatBuffer()
          .get(batchRow * hidden, into, count * hidden, some * hidden);
      batchRow += some;
      count += some;
    }
    read += count;
    return count;
  }

  private void loadBatch() {
    try {
      batchRow = 0;
      if (!reader.loadNextBatch() || batch.getRowCount() == 0) {
        throw new IOException("it ends before its %d rows".formatted(rows));
      }
    } catch (IOException | RuntimeException e) {
      throw unreadable(e);
    }
  }

  @Override
  public void close() {
    try (allocator) {
      reader.close();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private InputException unreadable(Exception cause) {
    return new InputException(
        "Cannot read the activation shard %s: %s. Delete it and start again."
            .formatted(file, cause.getMessage()),
        cause);
  }
}
