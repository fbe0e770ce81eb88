package io.shardpress.integration.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.integration.models.LlamaShape;
import org.junit.jupiter.api.Test;

class WorkTest {
  @Test
  void aProductMultipliesAndAdds() {
    assertThat(Work.product(2, 3, 5)).isEqualTo(Work.flops(60));
  }

  @Test
  void aGramIsHalfOfTheProduct() {
    assertThat(Work.gram(10, 4)).isEqualTo(Work.flops(160));
    assertThat(Work.gram(10, 4).amount()).isEqualTo(Work.product(4, 4, 10).amount() / 2);
  }

  @Test
  void aLayerIsFactoredAndSwept() {
    assertThat(Work.gptq(7, 6).amount()).isCloseTo(2 * 6 * 6 * 6 / 3.0 + 7 * 6 * 6, within(1e-9));
  }

  @Test
  void aBlockIsItsLinearsAndItsCausalAttention() {
    LlamaShape shape = new LlamaShape(8, 12, 3, 100, 2, 1, 4);
    double parameters = 2 * 8 * 8 + 2 * 4 * 8 + 3 * 8 * 12;
    double pairs = 2 * (1 + 2 + 3); // two sequences of three tokens

    // a score and a weighted value per pair, head and feature
    assertThat(Work.block(shape, 6, 3)).isEqualTo(Work.flops(12 * parameters + 2 * 2 * pairs * 8));
  }

  @Test
  void everyCoreDoesItsOwn() {
    assertThat(Work.bytes(5).times(3)).isEqualTo(Work.bytes(15));
  }
}
