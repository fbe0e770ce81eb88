package io.shardpress.operators.coding;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The elements of one part of a tensor, taken apart; scratch of one thread, filled again for every
 * part. With a mask, the planes hold only the elements that are not zero, one behind the other, and
 * bit i of mask byte j, from the lowest, says whether element {@code 8·j + i} is one of them.
 */
final class Planes {
  private final Elements elements;
  private final byte[][] symbols;
  private final byte[] mask;

  /** Room for parts of at most so many bytes, in whole units. */
  Planes(Elements elements, int partBytes) {
    this.elements = elements;
    int count = (int) elements.elements(partBytes);
    symbols = new byte[elements.planes()][count];
    mask = new byte[maskBytes(count)];
  }

  static int maskBytes(int count) {
    return (count + 7) / 8;
  }

  /** By plane; not to be changed but by who fills them. */
  byte[][] symbols() {
    return symbols;
  }

  byte[] mask() {
    return mask;
  }

  /**
   * Takes all that remains in the buffer apart.
   *
   * @return whether the planes hold all of it
   */
  boolean split(ByteBuffer source) {
    return elements.split(little(source), source.remaining() / elements.unitBytes(), symbols);
  }

  /** Puts together what remains to be filled of the buffer. */
  void join(ByteBuffer into) {
    elements.join(symbols, into.remaining() / elements.unitBytes(), little(into));
  }

  private static ByteBuffer little(ByteBuffer buffer) {
    return buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Fills the mask for the first {@code count} elements.
   *
   * @return how many of them are not zero
   */
  int fillMask(int count) {
    Arrays.fill(mask, 0, maskBytes(count), (byte) 0);
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int any = 0;
      for (byte[] plane : symbols) {
        any |= plane[i];
      }
      int bit = any == 0 ? 0 : 1;
      mask[i >> 3] |= (byte) (bit << (i & 7));
      kept += bit;
    }
    return kept;
  }

  /** Leaves of the first {@code count} elements those that the mask keeps. */
  void dropZeros(int count) {
    for (byte[] plane : symbols) {
      int to = 0;
      for (int i = 0; i < count; i++) {
        plane[to] = plane[i];
        to += (mask[i >> 3] >> (i & 7)) & 1;
      }
    }
  }

  /**
   * How many elements the mask keeps.
   *
   * @throws DamagedStreamException when it keeps one beyond the first {@code count}
   */
  int kept(int count) {
    int kept = 0;
    for (int j = 0; j < maskBytes(count); j++) {
      kept += Integer.bitCount(mask[j] & 0xff);
    }
    if (count % 8 != 0 && (mask[count / 8] & 0xff) >>> (count % 8) != 0) {
      throw new DamagedStreamException("a mask keeps more elements than there are");
    }
    return kept;
  }

  /** Puts zeros back between the {@code kept} elements, so that there are {@code count}. */
  void restoreZeros(int count, int kept) {
    for (byte[] plane : symbols) {
      int from = kept;
      for (int i = count - 1; i >= 0; i--) { // no element moves down, so none is overwritten
        boolean keeps = ((mask[i >> 3] >> (i & 7)) & 1) != 0;
        plane[i] = keeps ? plane[--from] : 0;
      }
    }
  }
}
