package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import org.junit.jupiter.api.Test;

class SolveMemoryTest {
  private static final long GIB = 1 << 30;

  @Test
  void aWideInputIsSharedInOneSquareMatrix() {
    SolveMemory memory = Gptq.of(4, GroupSize.of(128)).memory(1024, 28672, DType.BF16, 2);
    long square = 4L * 28672 * 28672;
    assertThat(memory.sharedBytes()).isEqualTo(square);
    assertThat(memory.nativeBytes(1)).isBetween(square, 7 * GIB / 2);
    assertThat(memory.heapBytes(4)).isEqualTo(4 * memory.sliceHeapBytes()).isLessThan(GIB);
  }

  @Test
  void aNarrowInputHoldsItsGramToo() {
    Settings gptq = Gptq.of(4, GroupSize.of(128));
    assertThat(gptq.memory(4096, 4096, DType.F32, 2).sharedBytes()).isEqualTo(2 * 4L * 4096 * 4096);
  }

  @Test
  void roundingSharesNothing() {
    SolveMemory memory = Rtn.of(4, GroupSize.of(128)).memory(1024, 4096, DType.BF16, 2);
    assertThat(memory)
        .isEqualTo(new SolveMemory(0, 0, 2 * 1024 * 4096, 1024 * 4096 + 4 * 1024 * 32));
  }

  @Test
  void bytesAreNotNegative() {
    assertThatThrownBy(() -> new SolveMemory(1, 0, -2, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-2 and 0 per slice");
  }
}
