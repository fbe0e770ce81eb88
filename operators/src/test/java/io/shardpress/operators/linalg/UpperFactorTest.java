package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class UpperFactorTest {
  private static final long SEED = 20261120;

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 127, 129, 255, 257, 700})
  void reproducesTheInverse(int n) {
    Random random = new Random(SEED + n);
    try (INDArray h = KernelsTest.gram(random, n);
        INDArray copy = Floats.copy(h);
        UpperFactor u = UpperFactor.ofInverse(copy);
        INDArray upper = upperTriangle(u.matrix());
        INDArray transposed = Floats.transpose(upper);
        INDArray inverse = Products.times(transposed, upper);
        INDArray identity = Products.times(h, inverse)) {
      assertThat(u.matrix()).as("made in place").isSameAs(copy);
      float[] values = Floats.toArray(identity);
      for (int i = 0; i < n * n; i++) {
        assertThat(values[i])
            .as("seed %d, element %d", SEED + n, i)
            .isCloseTo(i % (n + 1) == 0 ? 1 : 0, Offset.offset(2e-3f));
      }
    }
  }

  @Test
  void hasTheSameBitsOnAnyNumberOfThreads() {
    try (INDArray h = KernelsTest.gram(new Random(SEED), 700)) {
      float[] alone = factor(h, 1);
      assertThat(factor(h, 2)).isEqualTo(alone);
      assertThat(factor(h, 5)).isEqualTo(alone);
    }
  }

  private static float[] factor(INDArray h, int threads) {
    try (INDArray copy = Floats.copy(h);
        UpperFactor u = Workers.on(threads, () -> UpperFactor.ofInverse(copy))) {
      try (INDArray upper = upperTriangle(u.matrix())) {
        return Floats.toArray(upper);
      }
    }
  }

  private static INDArray upperTriangle(INDArray matrix) {
    int n = Floats.rows(matrix);
    float[] values = Floats.toArray(matrix);
    for (int i = 0; i < n; i++) {
      Arrays.fill(values, i * n, i * n + i, 0);
    }
    return Floats.of(values, n, n);
  }

  @Test
  void namesTheMinorWhereItFails() {
    float[] h = new float[300 * 300];
    for (int i = 0; i < 300; i++) {
      h[i * 301] = i == 10 ? -1 : 1;
    }
    try (INDArray indefinite = Floats.of(h, 300, 300)) {
      assertThatThrownBy(() -> UpperFactor.ofInverse(indefinite))
          .isInstanceOf(NotPositiveDefiniteException.class)
          .hasMessageContaining("order 290"); // counted from the end: the order is reversed
    }
  }
}
