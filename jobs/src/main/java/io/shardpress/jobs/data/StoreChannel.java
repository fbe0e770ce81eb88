package io.shardpress.jobs.data;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.common.storage.Store;
import java.nio.ByteBuffer;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.SeekableByteChannel;

/** A stored file as a channel, read ahead by a mebibyte; large reads go past the buffer. */
final class StoreChannel implements SeekableByteChannel {
  private static final int AHEAD = 1 << 20;

  private final SeekableInput input;
  private final ByteBuffer buffer;
  private long bufferStart;
  private long position;
  private boolean open = true;

  StoreChannel(Store store, Location file) {
    input = store.open(file);
    buffer = ByteBuffer.allocate((int) Math.min(AHEAD, input.length())).limit(0);
  }

  @Override
  public int read(ByteBuffer into) {
    long left = input.length() - position;
    if (left <= 0) {
      return -1;
    }
    if (!into.hasRemaining()) {
      return 0;
    }
    boolean buffered = position >= bufferStart && position < bufferStart + buffer.limit();
    int count;
    if (!buffered && into.remaining() >= AHEAD) {
      count = (int) Math.min(into.remaining(), left);
      int limit = into.limit();
      input.read(position, into.limit(into.position() + count));
      into.limit(limit);
    } else {
      if (!buffered) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), left));
        input.read(position, buffer);
        buffer.flip();
        bufferStart = position;
      }
      int from = (int) (position - bufferStart);
      count = Math.min(into.remaining(), buffer.limit() - from);
      into.put(into.position(), buffer, from, count);
      into.position(into.position() + count);
    }
    position += count;
    return count;
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public SeekableByteChannel position(long newPosition) {
    position = newPosition;
    return this;
  }

  @Override
  public long size() {
    return input.length();
  }

  @Override
  public int write(ByteBuffer from) {
    throw new NonWritableChannelException();
  }

  @Override
  public SeekableByteChannel truncate(long size) {
    throw new NonWritableChannelException();
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
    input.close();
  }
}
