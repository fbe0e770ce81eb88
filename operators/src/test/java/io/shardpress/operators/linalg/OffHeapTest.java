package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

class OffHeapTest {
  private static final long MIB = 1 << 20;

  private final OffHeap memory = new OffHeap(10 * MIB);

  @Test
  void whatCameBackIsHandedOutAgainForAboutTheSameSize() {
    BytePointer block = memory.take(4 * MIB);
    long address = block.address();
    memory.giveBack(block);
    assertThat(memory.idleBytes()).isEqualTo(4 * MIB);
    assertThat(memory.take(4 * MIB - 1000).address()).isEqualTo(address);
    assertThat(memory.idleBytes()).isZero();
  }

  @Test
  void aBlockThatIsMuchTooLargeStaysIdle() {
    memory.giveBack(memory.take(4 * MIB));
    memory.take(2 * MIB).close();
    assertThat(memory.idleBytes()).isEqualTo(4 * MIB);
  }

  @Test
  void noMoreThanTheLimitLiesIdle() {
    BytePointer[] blocks = new BytePointer[8];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = memory.take((i + 1) * MIB);
    }
    for (BytePointer block : blocks) {
      memory.giveBack(block);
      assertThat(memory.idleBytes()).isBetween(MIB, 10 * MIB);
    }
    memory.giveBack(memory.take(11 * MIB)); // larger than the limit: freed at once
    assertThat(memory.idleBytes()).isLessThanOrEqualTo(10 * MIB);
    memory.freeIdle();
    assertThat(memory.idleBytes()).isZero();
  }

  @Test
  void closingAPointerToAMatrixLeavesTheMatrixAlone() {
    try (INDArray matrix = Floats.of(new float[] {1, 2, 3}, 1, 3)) {
      Floats.pointer(matrix).close();
      assertThat(Floats.toArray(matrix)).containsExactly(1, 2, 3);
    }
  }

  @Test
  void aMatrixMayBeClosedTwice() {
    INDArray matrix = Floats.zeros(512, 512);
    matrix.close();
    matrix.close();
    assertThat(matrix.wasClosed()).isTrue();
    try (INDArray one = Floats.zeros(512, 512);
        INDArray other = Floats.zeros(512, 512)) {
      assertThat(Floats.pointer(one).address()).isNotEqualTo(Floats.pointer(other).address());
    }
  }
}
