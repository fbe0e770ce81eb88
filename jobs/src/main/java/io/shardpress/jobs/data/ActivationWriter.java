package io.shardpress.jobs.data;

import io.shardpress.common.error.DestinationException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileWriter;

/**
 * Writes a shard of activations row by row. Only {@link #finish} makes a shard that opens again;
 * one that is closed before stays behind unreadable, for whoever writes it anew to replace. Used by
 * one thread.
 */
public final class ActivationWriter implements AutoCloseable {
  private final Location file;
  private final long rows;
  private final int hidden;
  private final int rowsPerBatch;
  private final Sha256 hash = new Sha256();
  private final OutputStream out;
  private final BufferAllocator allocator = new RootAllocator();
  private final VectorSchemaRoot batch;
  private final ArrowFileWriter writer;
  private long written;
  private int pending;
  private boolean finished;

  ActivationWriter(Store store, Location file, long rows, int hidden) {
    if (rows < 0 || hidden < 1) {
      throw new IllegalArgumentException("No shard has shape [%d, %d]".formatted(rows, hidden));
    }
    this.file = file;
    this.rows = rows;
    this.hidden = hidden;
    this.rowsPerBatch = ActivationShards.rowsPerBatch(rows, hidden);
    this.out = store.scratch(file);
    this.batch =
        FixedLists.allocate(ActivationShards.schema(rows, hidden), allocator, rowsPerBatch);
    this.writer = new ArrowFileWriter(batch, null, Channels.newChannel(hash.tee(out)));
  }

  /** Appends {@code count} rows, {@code [count, hidden]} row-major from the start of the array. */
  public void append(float[] values, int count) {
    if (finished || written + pending + count > rows || (long) count * hidden > values.length) {
      throw new IllegalArgumentException(
          "Cannot append %d rows of %d values from %d floats to the %d of %d rows of %s"
              .formatted(count, hidden, values.length, written + pending, rows, file));
    }
    int from = 0;
    while (from < count) {
      int some = Math.min(count - from, rowsPerBatch - pending);
      FixedLists.values(batch, rowsPerBatch * hidden)
          .asFloatBuffer()
          .put(pending * hidden, values, from * hidden, some * hidden);
      from += some;
      pending += some;
      if (pending == rowsPerBatch) {
        writeBatch();
      }
    }
  }

  /** Completes the file; returns its SHA-256. */
  public String finish() {
    if (pending > 0) {
      writeBatch();
    }
    if (written != rows) {
      throw new IllegalStateException("%s has %d of its %d rows".formatted(file, written, rows));
    }
    try {
      writer.end();
      finished = true;
      out.close();
    } catch (IOException e) {
      throw unwritable(e);
    }
    return hash.hex();
  }

  /** Frees the memory and closes the file, finished or not. */
  @Override
  public void close() {
    // Not the Arrow writer: closing it would complete the file.
    try (allocator;
        batch;
        out) {
      finished = true;
    } catch (IOException e) {
      throw unwritable(e);
    }
  }

  private DestinationException unwritable(IOException cause) {
    return new DestinationException(
        "Cannot write %s: %s. Check permissions and free space."
            .formatted(file, cause.getMessage()),
        cause);
  }

  private void writeBatch() {
    try {
      FixedLists.resize(batch, pending);
      writer.writeBatch();
    } catch (IOException e) {
      throw unwritable(e);
    }
    written += pending;
    pending = 0;
  }
}
