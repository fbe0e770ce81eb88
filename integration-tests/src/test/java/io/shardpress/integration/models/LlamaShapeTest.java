package io.shardpress.integration.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.UsageException;
import io.shardpress.common.tensor.TensorSpec;
import org.junit.jupiter.api.Test;

class LlamaShapeTest {
  @Test
  void namesWhatDiffersFromTheBenchmarksModel() {
    assertThat(LlamaShape.parse("")).isEqualTo(LlamaShape.benchmark());
    assertThat(LlamaShape.parse("hidden=4096, kv-heads=8,head-size=64"))
        .isEqualTo(new LlamaShape(4096, 5632, 4, 8192, 16, 8, 64));
  }

  @Test
  void refusesAnUnknownSize() {
    assertThatThrownBy(() -> LlamaShape.parse("hidden=64,layers=2"))
        .isInstanceOf(UsageException.class)
        .hasMessageContainingAll("'layers=2' is no size", "kv-heads=");
    assertThatThrownBy(() -> LlamaShape.parse("hidden=-64"))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'hidden=-64'");
  }

  @Test
  void refusesHeadsThatDoNotShareKeys() {
    assertThatThrownBy(() -> LlamaShape.parse("heads=16,kv-heads=3"))
        .isInstanceOf(UsageException.class)
        .hasMessageContainingAll("kv-heads=3", "kv-heads divides heads");
  }

  @Test
  void countsTheBenchmarksParameters() {
    long parameters =
        LlamaShape.benchmark().tensors().stream().mapToLong(TensorSpec::elements).sum();

    long block = 2 * 2048L * 2048 + 2 * 512L * 2048 + 3 * 2048L * 5632 + 2 * 2048;
    assertThat(parameters).isEqualTo(4 * block + 2 * 8192L * 2048 + 2048);
  }
}
