package io.shardpress.operators.coding;

import java.nio.ByteBuffer;

/** Elements of a byte each, such as the codes of {@code int-quantized} weights. */
public record ByteElements() implements Elements {
  @Override
  public int planes() {
    return 1;
  }

  @Override
  public int unitElements() {
    return 1;
  }

  @Override
  public int unitBytes() {
    return 1;
  }

  @Override
  public boolean split(ByteBuffer source, int units, byte[][] planes) {
    source.get(0, planes[0], 0, units);
    return true;
  }

  @Override
  public void join(byte[][] planes, int units, ByteBuffer into) {
    into.put(0, planes[0], 0, units);
  }
}
