package io.shardpress.common.storage;

import io.shardpress.common.error.DestinationException;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.StreamCapabilities;

/** Writes through, with failures as typed errors; closing twice is closing once. */
final class TypedOutput extends OutputStream implements Discardable {
  /** Makes a file's bytes durable and visible. */
  interface Finish {
    void run() throws IOException;
  }

  /** Larger transfers are cut: a channel copies each through a direct buffer of its size. */
  static final int PIECE = 1 << 20;

  private final Location location;
  private final OutputStream out;
  private final Finish beforeClose;
  private boolean closed;

  TypedOutput(Location location, OutputStream out, Finish beforeClose) {
    this.location = location;
    this.out = out;
    this.beforeClose = beforeClose;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int count) {
    if (closed) {
      throw new DestinationException("Cannot write " + location + ": it was closed before.");
    }
    try {
      for (int done = 0; done < count; done += PIECE) {
        out.write(bytes, offset + done, Math.min(PIECE, count - done));
      }
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }

  @Override
  public void flush() {
    try {
      out.flush();
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }

  @Override
  public void discard() {
    if (closed) {
      return;
    }
    closed = true;
    try (out) {
      if (out instanceof FSDataOutputStream stream
          && stream.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
        stream.abort();
      }
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try (out) {
      out.flush();
      beforeClose.run();
    } catch (IOException e) {
      throw StorageErrors.writing(location, e);
    }
  }
}
