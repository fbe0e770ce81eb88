package io.shardpress.operators.coding;

import java.nio.ByteBuffer;

/**
 * How a stored tensor is taken apart: each element into one byte symbol for each of some planes,
 * and back to the very same bytes. An element that is zero is 0 in all planes. Buffers are
 * little-endian, as tensors are stored.
 *
 * <p>A unit is the least that can be taken apart by itself: an element, or a row of codes that
 * share words. Parts of about {@value #PART} elements are coded by themselves, so that no more of a
 * tensor need be in memory.
 */
public sealed interface Elements permits PackedCodes, ByteElements, FloatElements {
  /** Elements of a part: as many masks of eight as a chunk has symbols. */
  int PART = 1 << 19;

  /** Symbols of an element. */
  int planes();

  int unitElements();

  int unitBytes();

  /** Bytes of every part but the last. */
  default int partBytes() {
    return unitBytes() * Math.max(1, PART / unitElements());
  }

  /** Elements in so many bytes. */
  default long elements(long bytes) {
    return bytes / unitBytes() * unitElements();
  }

  /**
   * Takes {@code units} apart, from the buffer's start on.
   *
   * @return whether {@link #join} would make the same bytes of the planes
   */
  boolean split(ByteBuffer source, int units, byte[][] planes);

  /** Puts them together again at the buffer's start. */
  void join(byte[][] planes, int units, ByteBuffer into);
}
