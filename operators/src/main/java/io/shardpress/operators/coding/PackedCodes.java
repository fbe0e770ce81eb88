package io.shardpress.operators.coding;

import io.shardpress.operators.encoding.BitStream;
import java.nio.ByteBuffer;

/**
 * Codes of a few bits in rows of whole 32-bit words, as {@code pack-quantized} has them. A symbol
 * is the signed code as a byte; a unit is a row.
 *
 * @param bits of a code, 1 to 8
 * @param columns codes in a row, 1 to {@value #MOST_COLUMNS}
 */
public record PackedCodes(int bits, int columns) implements Elements {
  /** The longest row that is taken apart. */
  public static final int MOST_COLUMNS = 1 << 20;

  public PackedCodes {
    if (bits < 1 || bits > 8 || columns < 1 || columns > MOST_COLUMNS) {
      throw new IllegalArgumentException("Rows of %d codes of %d bits".formatted(columns, bits));
    }
  }

  @Override
  public int planes() {
    return 1;
  }

  @Override
  public int unitElements() {
    return columns;
  }

  @Override
  public int unitBytes() {
    return Integer.BYTES * BitStream.words(columns, bits);
  }

  /** False where the bits behind a row's last code are not all 0. */
  @Override
  public boolean split(ByteBuffer source, int units, byte[][] planes) {
    BitStream stream = new BitStream(bits);
    int rowBytes = unitBytes();
    int usedInLastWord = (int) (((long) columns * bits - 1) % Integer.SIZE) + 1;
    boolean padded = true;
    for (int row = 0; row < units; row++) {
      stream.unpack(source, row * rowBytes, columns, planes[0], row * columns);
      int lastWord = source.getInt((row + 1) * rowBytes - Integer.BYTES);
      padded &= usedInLastWord == Integer.SIZE || lastWord >>> usedInLastWord == 0;
    }
    return padded;
  }

  @Override
  public void join(byte[][] planes, int units, ByteBuffer into) {
    BitStream stream = new BitStream(bits);
    int rowBytes = unitBytes();
    for (int row = 0; row < units; row++) {
      stream.pack(planes[0], row * columns, columns, into, row * rowBytes);
    }
  }
}
