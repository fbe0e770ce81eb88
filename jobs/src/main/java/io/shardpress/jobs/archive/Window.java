package io.shardpress.jobs.archive;

import io.shardpress.common.storage.SeekableInput;
import java.nio.ByteBuffer;

/**
 * Reads ahead: small ranges that follow one another, or are read twice, cost one request of the
 * storage together. Closes what it reads from.
 */
final class Window implements SeekableInput {
  private static final int BYTES = 4 << 20;

  private final SeekableInput input;
  private ByteBuffer window = ByteBuffer.allocate(0);
  private long start;

  Window(SeekableInput input) {
    this.input = input;
  }

  @Override
  public long length() {
    return input.length();
  }

  @Override
  public void read(long offset, ByteBuffer into) {
    int count = into.remaining();
    if (count > BYTES || offset < 0 || offset > length() - count) {
      input.read(offset, into); // which knows how to refuse it
      return;
    }
    if (offset < start || offset + count > start + window.limit()) {
      fill(offset);
    }
    into.put(window.slice((int) (offset - start), count));
  }

  private void fill(long offset) {
    int length = (int) Math.min(BYTES, length() - offset);
    if (window.capacity() < length) {
      window = ByteBuffer.allocate(length);
    }
    window.clear().limit(length);
    start = offset;
    try {
      input.read(offset, window);
      window.flip();
    } catch (RuntimeException e) {
      window.limit(0); // nothing of it counts
      throw e;
    }
  }

  @Override
  public void close() {
    input.close();
  }
}
