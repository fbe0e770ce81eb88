package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class ColumnSweepTest {
  private static final long SEED = 4711;

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "7, 3",
    "40, 16",
    "100, 32",
    "128, 128",
    "129, 128",
    "207, 64",
    "300, 128",
    "96, 5"
  })
  void equalsThePlainRecursionAndItsErrorsAreTheDampedLoss(int n, int blockSize) {
    int rows = 5;
    try (InputStatistics statistics = Layers.statistics(SEED + n, 3 * n + 8, n);
        INDArray weight = Layers.gaussian(SEED, rows, n)) {
      float[] h = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      for (int j = 0; j < n; j++) {
        h[j * n + j] *= 1.01f;
      }
      try (INDArray damped = Floats.of(h, n, n);
          UpperFactor factor = UpperFactor.ofInverse(damped)) {
        float[] w = Floats.toArray(weight);
        double[] expected = plainSweep(w, Floats.toArray(factor.matrix()), rows, n);
        float[] actual = new float[rows * n];
        double errors = 0;
        try (Panel panel = panel(w, rows, n)) {
          double[][] byRow =
              ColumnSweep.run(
                  List.of(panel),
                  List.of(
                      (p, column, strip, index, chosen) -> {
                        for (int r = 0; r < chosen.length; r++) {
                          chosen[r] = (float) Math.rint(strip[index][r]);
                          if (r < rows) {
                            actual[r * n + column] = chosen[r];
                          }
                        }
                      }),
                  factor,
                  ColumnSweep.blocks(n, blockSize, 0),
                  0);
          for (int r = 0; r < rows; r++) {
            errors += byRow[0][r];
          }
        }
        int different = 0;
        for (int i = 0; i < actual.length; i++) {
          different += actual[i] == expected[i] ? 0 : 1;
        }
        assertThat(different).as("seed %d, n %d", SEED, n).isLessThanOrEqualTo(rows * n / 500);
        double loss = Layers.loss(w, actual, h, n);
        assertThat(errors).isCloseTo(loss, within(1e-4 * loss));
      }
    }
  }

  /** GPTQ as in the paper, column by column, in F64. */
  private static double[] plainSweep(float[] weight, float[] u, int rows, int n) {
    double[] chosen = new double[rows * n];
    for (int r = 0; r < rows; r++) {
      double[] w = new double[n];
      for (int j = 0; j < n; j++) {
        w[j] = weight[r * n + j];
      }
      for (int j = 0; j < n; j++) {
        chosen[r * n + j] = Math.rint(w[j]);
        double error = (w[j] - chosen[r * n + j]) / u[j * n + j];
        for (int k = j + 1; k < n; k++) {
          w[k] -= error * u[j * n + k];
        }
      }
    }
    return chosen;
  }

  private static Panel panel(float[] w, int rows, int n) {
    float[] transposed = new float[n * Panel.ROWS];
    for (int i = 0; i < rows * n; i++) {
      transposed[i % n * Panel.ROWS + i / n] = w[i];
    }
    return new Panel(0, rows, Floats.of(transposed, n, Panel.ROWS));
  }

  @Test
  void blocksAreCutWhereGroupsStart() {
    assertThat(ColumnSweep.blocks(300, 128, 0)).containsExactly(0, 128, 256, 300);
    assertThat(ColumnSweep.blocks(288, 128, 96)).containsExactly(0, 96, 192, 288);
    assertThat(ColumnSweep.blocks(128, 128, 32)).containsExactly(0, 128);
    assertThat(ColumnSweep.blocks(600, 128, 200)).containsExactly(0, 128, 200, 328, 400, 528, 600);
  }
}
