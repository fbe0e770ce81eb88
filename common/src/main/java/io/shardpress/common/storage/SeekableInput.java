package io.shardpress.common.storage;

import java.nio.ByteBuffer;

/** An open file for reading many ranges of it; used by one thread at a time. */
public interface SeekableInput extends AutoCloseable {

  /** Length of the file in bytes when it was opened. */
  long length();

  /**
   * Fills {@code into} from its position to its limit with the bytes from {@code offset} on. A file
   * that ends before is an {@link io.shardpress.common.error.InputException}.
   */
  void read(long offset, ByteBuffer into);

  @Override
  void close();
}
