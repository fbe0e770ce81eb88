package io.shardpress.common.storage;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * Positional reads of one Hadoop file. Connectors try failed requests again themselves, but take an
 * answer that is cut short for the end of the file; within the length of the file that is read
 * again here, from a new stream.
 */
final class HadoopInput implements SeekableInput {
  private static final int ATTEMPTS = 4;

  /** Opens the file, each time anew. */
  interface Opening {
    FSDataInputStream open() throws IOException;
  }

  private final Location file;
  private final Opening opening;
  private final long length;
  private FSDataInputStream stream;

  HadoopInput(Location file, long length, Opening opening) throws IOException {
    this.file = file;
    this.opening = opening;
    this.length = length;
    this.stream = opening.open();
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void read(long offset, ByteBuffer into) {
    int count = into.remaining();
    if (offset < 0 || offset > length - count) {
      throw StorageErrors.endsEarly(file, offset, count, length);
    }
    try {
      if (into.hasArray()) {
        fill(offset, into.array(), into.arrayOffset() + into.position(), count);
        into.position(into.limit());
      } else {
        byte[] piece = new byte[Math.min(count, TypedOutput.PIECE)];
        long position = offset;
        while (into.hasRemaining()) {
          int n = Math.min(piece.length, into.remaining());
          fill(position, piece, 0, n);
          into.put(piece, 0, n);
          position += n;
        }
      }
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }

  private void fill(long position, byte[] into, int offset, int count) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        stream.readFully(position, into, offset, count);
        return;
      } catch (EOFException e) {
        if (attempt == ATTEMPTS) {
          throw e;
        }
        stream.close();
        stream = opening.open();
      }
    }
  }

  @Override
  public void close() {
    try {
      stream.close();
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
    }
  }
}
