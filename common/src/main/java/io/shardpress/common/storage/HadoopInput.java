package io.shardpress.common.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hadoop.fs.FSDataInputStream;

/** Positional reads of one Hadoop stream. */
record HadoopInput(Location file, FSDataInputStream stream, long length) implements SeekableInput {

  @Override
  public void read(long offset, ByteBuffer into) {
    int count = into.remaining();
    if (offset < 0 || offset > length - count) {
      throw StorageErrors.endsEarly(file, offset, count, length);
    }
    try {
      if (into.hasArray()) {
        stream.readFully(offset, into.array(), into.arrayOffset() + into.position(), count);
        into.position(into.limit());
      } else {
        byte[] piece = new byte[Math.min(count, TypedOutput.PIECE)];
        long position = offset;
        while (into.hasRemaining()) {
          int n = Math.min(piece.length, into.remaining());
          stream.readFully(position, piece, 0, n);
          into.put(piece, 0, n);
          position += n;
        }
      }
    } catch (IOException e) {
      throw StorageErrors.reading(file, e);
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
