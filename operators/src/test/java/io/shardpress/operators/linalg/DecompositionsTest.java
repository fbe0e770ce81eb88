package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.NumericalException;
import io.shardpress.operators.linalg.Decompositions.Eigen;
import io.shardpress.operators.linalg.Decompositions.Svd;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class DecompositionsTest {
  private static final long SEED = 20261122;

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 17, 31, 33, 129})
  void eigenvectorsRebuildTheMatrixInEveryProvider(int n) {
    float[] a = symmetric(n);
    for (KernelChoice provider : KernelChoice.values()) {
      try (INDArray matrix = Floats.of(a, n, n);
          Eigen eigen =
              Kernels.with(provider, () -> Decompositions.symmetricEigen(matrix)).value()) {
        float[] v = Floats.toArray(eigen.vectors());
        for (int i = 0; i < n; i++) {
          assertThat(eigen.values()[i]).isLessThanOrEqualTo(eigen.values()[Math.max(0, i - 1)]);
          for (int j = 0; j < n; j++) {
            double element = 0;
            double product = 0;
            for (int k = 0; k < n; k++) {
              element += v[k * n + i] * eigen.values()[k] * v[k * n + j];
              product += (double) v[i * n + k] * v[j * n + k];
            }
            assertThat(element)
                .as("%s, seed %d, [%d, %d]", provider, SEED, i, j)
                .isCloseTo(a[i * n + j], within(2e-5 * n));
            assertThat(product).isCloseTo(i == j ? 1 : 0, within(1e-5));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 17", "17, 3", "31, 33", "129, 31", "33, 127"})
  void singularVectorsRebuildTheMatrixInEveryProvider(int m, int n) {
    float[] a = KernelsTest.gaussian(new Random(SEED + m), m * n);
    int k = Math.min(m, n);
    for (KernelChoice provider : KernelChoice.values()) {
      try (INDArray matrix = Floats.of(a, m, n);
          Svd svd = Kernels.with(provider, () -> Decompositions.svd(matrix)).value()) {
        float[] u = Floats.toArray(svd.u());
        float[] vt = Floats.toArray(svd.vt());
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < n; j++) {
            double element = 0;
            for (int r = 0; r < k; r++) {
              element += u[i * k + r] * svd.values()[r] * vt[r * n + j];
            }
            assertThat(element)
                .as("%s, seed %d, [%d, %d]", provider, SEED + m, i, j)
                .isCloseTo(a[i * n + j], within(1e-5 * (m + n)));
          }
        }
        for (int r = 1; r < k; r++) {
          assertThat(svd.values()[r]).isBetween(0.0, svd.values()[r - 1]);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KernelChoice.class)
  void aMatrixOfLowRankHasZerosBehindItsRank(KernelChoice provider) {
    try (INDArray matrix = Floats.of(new float[] {1, 2, 2, 4, 3, 6}, 3, 2);
        Svd svd = Kernels.with(provider, () -> Decompositions.svd(matrix)).value()) {
      assertThat(svd.values()[0]).isCloseTo(Math.sqrt(70), within(1e-6));
      assertThat(svd.values()[1]).isCloseTo(0, within(1e-6));
    }
  }

  @Test
  void nanIsRefusedWithTheCure() {
    try (INDArray matrix = Floats.of(new float[] {1, Float.NaN, Float.NaN, 1}, 2, 2)) {
      assertThatThrownBy(() -> Decompositions.svd(matrix))
          .isInstanceOf(NumericalException.class)
          .hasMessageContaining("holds NaN")
          .hasMessageContaining("Calibrate again");
    }
  }

  private static float[] symmetric(int n) {
    float[] a = KernelsTest.gaussian(new Random(SEED + n), n * n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        a[i * n + j] = a[j * n + i];
      }
    }
    return a;
  }
}
