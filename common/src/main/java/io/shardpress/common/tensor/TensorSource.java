package io.shardpress.common.tensor;

import java.nio.ByteBuffer;

/**
 * A stored tensor whose bytes can be asked for, some at a time: of any size, row-major,
 * little-endian.
 */
public interface TensorSource {

  TensorSpec spec();

  /**
   * Fills {@code into} from its position to its limit with the tensor's bytes from {@code offset}
   * on.
   */
  void read(long offset, ByteBuffer into);
}
