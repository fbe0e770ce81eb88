package io.shardpress.operators.compression;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Floats as their bits and back in two bulk copies through the cache, which the JIT does not do
 * with {@link Float#intBitsToFloat} in a loop. Scratch of one thread.
 */
final class Reinterpretation {
  private final IntBuffer ints;
  private final FloatBuffer floats;

  Reinterpretation(int capacity) {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(Math.multiplyExact(4, capacity)).order(ByteOrder.nativeOrder());
    ints = memory.asIntBuffer();
    floats = memory.asFloatBuffer();
  }

  void toFloats(int[] bits, int n, float[] into) {
    ints.put(0, bits, 0, n);
    floats.get(0, into, 0, n);
  }

  void toBits(float[] values, int n, int[] into) {
    floats.put(0, values, 0, n);
    ints.get(0, into, 0, n);
  }
}
