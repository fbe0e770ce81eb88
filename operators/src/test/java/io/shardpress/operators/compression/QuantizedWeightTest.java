package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantizedWeightTest {
  private static final long SEED = 12;

  @ParameterizedTest
  @CsvSource({
    "true, NATURAL, 1",
    "false, NATURAL, 3",
    "true, NATURAL, 33",
    "false, NATURAL, 0",
    "true, GROUP, 3",
    "false, GROUP, 11"
  })
  void everyElementIsItsCodeOnItsGroupsGrid(boolean symmetric, ColumnOrder order, int columns) {
    int out = 3;
    int in = 33;
    GroupSize groupSize = columns == 0 ? GroupSize.CHANNEL : GroupSize.of(columns);
    Scheme scheme = new Scheme(new Grid(8, symmetric), groupSize, order, Activations.NONE);
    int groups = groupSize.groups(in);
    Random random = new Random(SEED);
    byte[] codes = new byte[out * in];
    random.nextBytes(codes);
    byte[] zeroPoints = new byte[symmetric ? 0 : out * groups];
    random.nextBytes(zeroPoints);
    float[] scales = new float[out * groups];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) Math.exp(10 * random.nextGaussian());
    }
    int[] groupOfColumn = QuantizedWeight.neighbours(groupSize, in);
    if (order == ColumnOrder.GROUP) {
      for (int j = 0; j < in; j++) {
        groupOfColumn[j] = random.nextInt(groups);
      }
    }
    QuantizedWeight weight =
        new QuantizedWeight(scheme, out, in, codes, scales, zeroPoints, groupOfColumn);
    float[] row = new float[in];
    for (int i = 0; i < out; i++) {
      weight.readRow(i, row);
      for (int j = 0; j < in; j++) {
        int group = i * groups + groupOfColumn[j];
        int zero = symmetric ? 0 : zeroPoints[group];
        assertThat(row[j])
            .as("seed %d, row %d, column %d", SEED, i, j)
            .isEqualTo((codes[i * in + j] - zero) * scales[group]);
      }
    }
  }
}
