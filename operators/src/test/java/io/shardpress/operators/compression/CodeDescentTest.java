package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class CodeDescentTest {
  private static final long SEED = 20261128;

  private static CodeDescent.Improved improve(
      CodeDescent descent, SmallProblem problem, QuantizedWeight start) {
    byte[] before = start.codes().clone();
    try (INDArray dense = Floats.of(problem.dense(), problem.out(), problem.in());
        INDArray gram = Floats.of(problem.gram(), problem.in(), problem.in())) {
      CodeDescent.Improved improved = descent.improve(dense, start, gram);
      assertThat(start.codes()).as("borrowed codes").isEqualTo(before);
      assertThat(Floats.toArray(gram)).as("a borrowed Gram").isEqualTo(problem.gram());
      return improved;
    }
  }

  private static QuantizedWeight solve(Settings settings, SmallProblem problem, float[] weight) {
    try (INDArray matrix = Floats.of(weight, problem.out(), problem.in());
        InputStatistics statistics =
            Layers.around(Floats.of(problem.gram(), problem.in(), problem.in()), 1000)) {
      return settings.compress("m", matrix, DType.F32, Optional.of(statistics)).quantized();
    }
  }

  private static QuantizedWeight gptq(
      SmallProblem problem, int bits, boolean symmetric, ColumnOrder order, String group) {
    Gptq settings =
        new Gptq(
            bits,
            symmetric,
            GroupSize.parse(group),
            Clip.MSE,
            Activations.NONE,
            order,
            ScaleSource.AUTO,
            0.01,
            List.of(1.0, 10.0, 100.0),
            Fallback.FAIL,
            32,
            NonfinitePolicy.FAIL);
    return solve(settings, problem, problem.dense());
  }

  private static QuantizedWeight rtn(SmallProblem problem, float[] weight) {
    return solve(Rtn.of(3, GroupSize.of(24)), problem, weight);
  }

  private static float[] values(QuantizedWeight weight) {
    try (INDArray matrix = weight.matrix()) {
      return Floats.toArray(matrix);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "3, true, STATIC, 24, 400",
    "3, false, NATURAL, 24, 400",
    "4, true, GROUP, 24, 400",
    "2, false, GROUP, 24, 400",
    "2, true, NATURAL, channel, 400",
    "3, false, STATIC, channel, 40",
    "4, true, GROUP, 96, 40",
    "8, false, NATURAL, 24, 40"
  })
  void everySweepLowersTheLossOfGptqRowByRow(
      int bits, boolean symmetric, ColumnOrder order, String group, int tokens) {
    SmallProblem problem = SmallProblem.random(SEED + bits, 60, 96, tokens, 0);
    QuantizedWeight start = gptq(problem, bits, symmetric, order, group);
    float[] last = values(start);
    for (int sweeps = 1; sweeps <= 4; sweeps++) {
      CodeDescent.Improved improved = improve(new CodeDescent(sweeps, Zeros.FREE), problem, start);
      float[] now = values(improved.weight());
      for (int row = 0; row < problem.out(); row++) {
        double before = problem.loss(values(start), row);
        double after = problem.loss(now, row);
        String where = "seed %d, %d sweeps, row %d".formatted(SEED, sweeps, row);
        assertThat(after).as(where).isLessThanOrEqualTo(before);
        assertThat(after).as(where).isLessThanOrEqualTo(problem.loss(last, row) * (1 + 1e-6));
        assertThat(improved.gains()[row])
            .as("%s: gain", where)
            .isCloseTo(before - after, within(1e-4 * before));
      }
      assertSameGrid(start, improved.weight());
      last = now;
    }
    System.out.printf(
        "%d bits, %s, %s, group %s: %.5g -> %.5g%n",
        bits, symmetric, order, group, problem.loss(values(start)), problem.loss(last));
    assertThat(problem.loss(last)).isLessThan(problem.loss(values(start)));
  }

  private static void assertSameGrid(QuantizedWeight start, QuantizedWeight improved) {
    Grid grid = start.scheme().grid();
    for (byte code : improved.codes()) {
      assertThat((int) code).isBetween(grid.lowest(), grid.highest());
    }
    assertThat(improved.scheme()).isEqualTo(start.scheme());
    assertThat(improved.scales()).isEqualTo(start.scales());
    assertThat(improved.zeroPoints()).isEqualTo(start.zeroPoints());
    assertThat(improved.groupOfColumn()).isEqualTo(start.groupOfColumn());
  }

  @ParameterizedTest
  @EnumSource(Zeros.class)
  void convergesToWhereNoOtherCodeOfOneWeightIsBetter(Zeros zeros) {
    int in = 300; // a block, some strips of the next, and a part of one
    SmallProblem problem = SmallProblem.random(SEED, 20, in, 900, 0.5);
    QuantizedWeight start = solve(Rtn.of(3, GroupSize.of(50)), problem, problem.pruned());
    QuantizedWeight end = improve(new CodeDescent(100, zeros), problem, start).weight();
    float[] q = values(end);
    for (int i = 0; i < q.length; i++) {
      int row = i / in;
      int column = i % in;
      double pivot = problem.gram()[column * in + column];
      double scale = end.scales()[row * end.groups() + end.groupOfColumn()[column]];
      double wanted = end.codes()[i] + problem.slope(q, row, column, 0) / pivot / scale;
      double inGrid =
          Math.min(Math.max(wanted, end.scheme().grid().lowest()), end.scheme().grid().highest());
      if (zeros == Zeros.FREE || start.codes()[i] != 0) {
        assertThat(Math.abs(inGrid - end.codes()[i]))
            .as("seed %d, row %d, column %d", SEED, row, column)
            .isLessThan(0.5 + 1e-3);
      } else {
        assertThat(end.codes()[i]).isZero();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void zerosOfAPrunedWeightAreKeptWhenAsked(boolean symmetric) {
    SmallProblem problem = SmallProblem.random(SEED, 30, 96, 400, 0.5);
    Rtn settings =
        new Rtn(
            4, symmetric, GroupSize.of(24), Clip.ABSMAX, Activations.NONE, NonfinitePolicy.FAIL);
    QuantizedWeight start = solve(settings, problem, problem.pruned());
    float[] before = values(start);
    float[] kept = values(improve(new CodeDescent(3, Zeros.KEEP), problem, start).weight());
    float[] free = values(improve(new CodeDescent(3, Zeros.FREE), problem, start).weight());
    int freed = 0;
    for (int i = 0; i < before.length; i++) {
      if (before[i] == 0) {
        assertThat(kept[i]).isZero();
        freed += free[i] == 0 ? 0 : 1;
      }
    }
    assertThat(freed).isPositive();
    assertThat(problem.loss(kept)).isLessThan(problem.loss(before));
    assertThat(problem.loss(free)).isLessThan(problem.loss(kept));
  }

  @Test
  void halfWayBetweenTwoCodesTheOldOneStays() {
    // inputs that are independent: each weight's best code is the one nearest to it
    float[] dense = {0.5f, 0.5f, -0.5f, 1.5f, 2.5f, 0.51f, -9f, 9f};
    byte[] codes = {0, 1, 0, 2, 2, 0, 0, 0};
    float[] gram = new float[64];
    for (int j = 0; j < 8; j++) {
      gram[j * 8 + j] = 4;
    }
    QuantizedWeight start =
        new QuantizedWeight(
            new Rtn(4, true, GroupSize.CHANNEL, Clip.ABSMAX, Activations.NONE, NonfinitePolicy.FAIL)
                .scheme(),
            1,
            8,
            codes,
            new float[] {1},
            new byte[0],
            new int[8]);
    SmallProblem problem = new SmallProblem(1, 8, dense, dense, gram);
    CodeDescent.Improved improved = improve(new CodeDescent(2, Zeros.FREE), problem, start);
    assertThat(improved.weight().codes()).containsExactly(0, 1, 0, 2, 2, 1, -8, 7);
    double gain = 4 * (0.51 * 0.51 - 0.49 * 0.49 + 81 - 1 + 81 - 4);
    assertThat(improved.gain()).isCloseTo(gain, within(1e-3));
  }

  @Test
  void aRowThatOnlyRoundingWouldChangeKeepsItsCodes() {
    SmallProblem problem = SmallProblem.random(SEED, 40, 96, 400, 0);
    QuantizedWeight start = rtn(problem, problem.dense());
    QuantizedWeight end = improve(new CodeDescent(100, Zeros.FREE), problem, start).weight();
    CodeDescent.Improved again = improve(new CodeDescent(3, Zeros.FREE), problem, end);
    assertThat(again.weight().codes()).isEqualTo(end.codes());
    assertThat(again.gains()).containsOnly(0);
  }

  @Test
  void deadInputsKeepTheirCodes() {
    SmallProblem problem = SmallProblem.random(SEED, 20, 96, 400, 0).withDead(0, 50);
    QuantizedWeight start = rtn(problem, problem.dense());
    CodeDescent.Improved improved = improve(new CodeDescent(3, Zeros.FREE), problem, start);
    for (int row = 0; row < 20; row++) {
      assertThat(improved.gains()[row]).isPositive();
      for (int dead : new int[] {0, 50}) {
        assertThat(improved.weight().codes()[row * 96 + dead])
            .isEqualTo(start.codes()[row * 96 + dead]);
      }
    }
  }

  @Test
  void slicesOfRowsAndThreadsEqualTheWholeBitForBit() {
    int out = 1500;
    int in = 144;
    SmallProblem problem = SmallProblem.random(SEED, out, in, 400, 0);
    QuantizedWeight start = rtn(problem, problem.dense());
    CodeDescent descent = new CodeDescent(2, Zeros.KEEP);
    QuantizedWeight whole = Workers.on(2, () -> improve(descent, problem, start).weight());
    int[] cuts = {0, 1, 38, 1024, 1025, out};
    for (int i = 0; i + 1 < cuts.length; i++) {
      int from = cuts[i];
      int to = cuts[i + 1];
      QuantizedWeight slice =
          new QuantizedWeight(
              start.scheme(),
              to - from,
              in,
              Arrays.copyOfRange(start.codes(), from * in, to * in),
              Arrays.copyOfRange(start.scales(), from * start.groups(), to * start.groups()),
              new byte[0],
              start.groupOfColumn());
      SmallProblem rows =
          new SmallProblem(
              to - from,
              in,
              Arrays.copyOfRange(problem.dense(), from * in, to * in),
              new float[0],
              problem.gram());
      assertThat(improve(descent, rows, slice).weight().codes())
          .as("seed %d, rows %d to %d", SEED, from, to)
          .isEqualTo(Arrays.copyOfRange(whole.codes(), from * in, to * in));
    }
  }

  @Test
  void groupsMayLieAnywhere() {
    SmallProblem problem = SmallProblem.random(SEED, 20, 96, 400, 0);
    QuantizedWeight start = gptq(problem, 3, true, ColumnOrder.GROUP, "24");
    int[] neighbours = QuantizedWeight.neighbours(GroupSize.of(24), 96);
    assertThat(start.groupOfColumn()).isNotEqualTo(neighbours);
    float[] better = values(improve(new CodeDescent(2, Zeros.FREE), problem, start).weight());
    assertThat(problem.loss(better)).isLessThan(problem.loss(values(start)));
  }

  @Test
  void readsBf16() {
    SmallProblem problem = SmallProblem.random(SEED, 20, 96, 400, 0);
    QuantizedWeight start = rtn(problem, problem.dense());
    try (INDArray dense = Floats.of(problem.dense(), 20, 96);
        INDArray narrow = BFloats.rounded(dense);
        INDArray wide = BFloats.widened(narrow);
        INDArray gram = Floats.of(problem.gram(), 96, 96)) {
      CodeDescent descent = new CodeDescent(2, Zeros.FREE);
      assertThat(descent.improve(narrow, start, gram).weight().codes())
          .isEqualTo(descent.improve(wide, start, gram).weight().codes());
    }
  }

  @Test
  void randomCodesNeverGetWorse() {
    Random random = new Random(SEED);
    for (int trial = 0; trial < 20; trial++) {
      SmallProblem problem = SmallProblem.random(SEED + trial, 10, 48, 10 + 20 * trial, 0);
      QuantizedWeight rounded = rtn(problem, problem.dense());
      byte[] codes = rounded.codes().clone();
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (byte) (random.nextInt(8) - 4);
      }
      QuantizedWeight start =
          new QuantizedWeight(
              rounded.scheme(),
              10,
              48,
              codes,
              rounded.scales(),
              rounded.zeroPoints(),
              rounded.groupOfColumn());
      float[] end = values(improve(new CodeDescent(20, Zeros.FREE), problem, start).weight());
      for (int row = 0; row < 10; row++) {
        assertThat(problem.loss(end, row))
            .as("seed %d, row %d", SEED + trial, row)
            .isLessThanOrEqualTo(problem.loss(values(start), row));
      }
      assertThat(problem.loss(end)).isLessThan(0.2 * problem.loss(values(start)));
    }
  }

  @Test
  void shapesAndSettingsAreChecked() {
    assertThatThrownBy(() -> new CodeDescent(0, Zeros.FREE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0 sweeps: at least one is needed");
    SmallProblem problem = SmallProblem.random(SEED, 4, 48, 100, 0);
    QuantizedWeight start = rtn(problem, problem.dense());
    try (INDArray dense = Floats.zeros(4, 24);
        INDArray gram = Floats.zeros(48, 48)) {
      assertThatThrownBy(() -> new CodeDescent(1, Zeros.FREE).improve(dense, start, gram))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Codes [4, 48], dense [4, 24] and a Gram of [48, 48] do not fit");
    }
  }

  @Test
  void memoryIsThatOfTheFormula() {
    assertThat(CodeDescent.nativeBytes(4096, 4096, 2)).isEqualTo(2 * ((16L << 20) + (2L << 20)));
    assertThat(new CodeDescent(1, Zeros.FREE).heapBytes(4096, 4096, 32, 1))
        .isEqualTo((16L << 20) + (4L << 20) + 8L * 1024 * 32 + 576L * 4096);
    assertThat(new CodeDescent(1, Zeros.KEEP).heapBytes(4096, 4096, 32, 1))
        .isEqualTo((16L << 20) + (8L << 20) + 8L * 1024 * 32 + 576L * 4096);
  }
}
