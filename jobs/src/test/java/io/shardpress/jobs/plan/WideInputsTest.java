package io.shardpress.jobs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.operators.model.Precision;
import org.junit.jupiter.api.Test;

class WideInputsTest {
  @Test
  void inputsAreKeptWhereTheirGramWouldBeLarger() {
    assertThat(WideInputs.areKept(4096, 64)).isFalse();
    assertThat(WideInputs.areKept(4097, 64)).isTrue();
    assertThat(WideInputs.areKept(8192, 8192)).isFalse();
    assertThat(WideInputs.areKept(8193, 8192)).isTrue();
  }

  @Test
  void inputsAreKeptWhereTheirGramCannotBeHeld() {
    assertThat(WideInputs.areKept(16384, 1 << 20)).isFalse();
    assertThat(WideInputs.areKept(16385, 1 << 20)).isTrue();
  }

  @Test
  void chunksStoreTheSmallerOfTheTwo() {
    assertThat(WideInputs.partialBytes(4, 64, Precision.BF16)).isEqualTo(10 * Float.BYTES);
    assertThat(WideInputs.partialBytes(28672, 8192, Precision.BF16)).isEqualTo(2L * 28672 * 8192);
    assertThat(WideInputs.partialBytes(28672, 8192, Precision.F32)).isEqualTo(4L * 28672 * 8192);
  }
}
