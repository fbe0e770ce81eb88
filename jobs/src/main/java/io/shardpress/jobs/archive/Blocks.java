package io.shardpress.jobs.archive;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.shardpress.common.error.InputException;
import java.nio.ByteBuffer;

/** Bytes without a structure that we know, in blocks of Zstandard, each for itself. */
final class Blocks {
  /** Bytes of every block but the last. */
  static final int BYTES = 4 << 20;

  private static final int LEVEL = 12;

  private Blocks() {}

  /** The block coded; the block itself where that does not make it shorter. */
  static ByteBuffer encode(ByteBuffer block) {
    int length = block.remaining();
    byte[] coded = new byte[Math.toIntExact(Zstd.compressBound(length))];
    long size =
        Zstd.compressByteArray(
            coded,
            0,
            coded.length,
            block.array(),
            block.arrayOffset() + block.position(),
            length,
            LEVEL);
    return size < length ? ByteBuffer.wrap(coded, 0, (int) size) : block.duplicate();
  }

  /**
   * Fills {@code into} with the block that was coded.
   *
   * @param coded in an array; as long as the block where it was not made shorter
   * @throws InputException when it is no such block of {@code source}
   */
  static void decode(String source, ByteBuffer coded, ByteBuffer into) {
    int length = into.remaining();
    if (coded.remaining() == length) {
      into.put(coded);
      return;
    }
    if (decoded(coded, into) != length) {
      throw CodedFile.damaged(source, "a block of %d bytes cannot be decoded".formatted(length));
    }
    into.position(into.limit());
  }

  /** How many bytes were decoded; an error is a negative number of them. */
  private static long decoded(ByteBuffer coded, ByteBuffer into) {
    try {
      return Zstd.decompressByteArray(
          into.array(),
          into.arrayOffset() + into.position(),
          into.remaining(),
          coded.array(),
          coded.arrayOffset() + coded.position(),
          coded.remaining());
    } catch (ZstdException e) {
      return -1;
    }
  }
}
