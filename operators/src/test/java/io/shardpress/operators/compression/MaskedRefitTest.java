package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class MaskedRefitTest {
  private static final long SEED = 20261128;

  /** Enough iterations for small systems to converge to what F32 holds. */
  private static MaskedRefit converging(double lambda) {
    return new MaskedRefit(lambda, 400, 1e-6);
  }

  /** Values, and the losses that the refit reports. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Solved(float[] values, double[] before, double[] gains) {}

  private static Solved solve(MaskedRefit refit, SmallProblem problem, DType stored) {
    try (INDArray dense = Floats.of(problem.dense(), problem.out(), problem.in());
        INDArray pruned = Floats.of(problem.pruned(), problem.out(), problem.in());
        INDArray gram = Floats.of(problem.gram(), problem.in(), problem.in());
        RefittedWeight result = refit.solve(dense, pruned, gram, stored)) {
      assertThat(Floats.toArray(dense)).as("a borrowed weight").isEqualTo(problem.dense());
      assertThat(Floats.toArray(gram)).as("a borrowed Gram").isEqualTo(problem.gram());
      return new Solved(Floats.toArray(result.weight()), result.before(), result.gains());
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 6, 40", "20, 24, 100", "30, 64, 300", "5, 96, 500"})
  void meetsTheNormalEquations(int out, int in, int tokens) {
    SmallProblem problem = SmallProblem.random(SEED + in, out, in, tokens, 0.5);
    double lambda = 0.01 * problem.meanDiagonal();
    float[] solved = solve(converging(lambda), problem, DType.F32).values();
    for (int row = 0; row < out; row++) {
      double start = problem.gradient(problem.pruned(), row, lambda);
      assertThat(problem.gradient(solved, row, lambda))
          .as("seed %d, in %d, row %d: gradient on the mask, from %g", SEED, in, row, start)
          .isLessThanOrEqualTo(1e-3 * start);
      double[] direct = problem.direct(row, lambda);
      for (int j = 0; j < in; j++) {
        assertThat((double) solved[row * in + j])
            .as("seed %d, in %d, row %d, column %d", SEED, in, row, j)
            .isCloseTo(direct[j], within(2e-3));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, 300, 0.01, 10",
    "F16, 300, 0.01, 10",
    "F32, 300, 0.01, 1",
    "F32, 300, 0, 400",
    "BF16, 300, 10, 30",
    "BF16, 20, 0.01, 10",
    "F32, 20, 0, 400",
    "F16, 20, 0, 3"
  })
  void noRowLosesMoreAndTheMaskStays(DType stored, int tokens, double damping, int iterations) {
    for (long seed = SEED; seed < SEED + 5; seed++) {
      SmallProblem problem = SmallProblem.random(seed, 40, 64, tokens, 0.6);
      float[] start = rounded(problem.pruned(), stored);
      MaskedRefit refit = new MaskedRefit(damping * problem.meanDiagonal(), iterations, 1e-4);
      Solved solved = solve(refit, problem, stored);
      for (int row = 0; row < problem.out(); row++) {
        double before = problem.loss(start, row);
        double after = problem.loss(solved.values(), row);
        assertThat(after).as("seed %d, row %d", seed, row).isLessThanOrEqualTo(before);
        assertThat(solved.before()[row]).isCloseTo(before, within(1e-5 * before));
        assertThat(solved.gains()[row])
            .as("seed %d, row %d: gain", seed, row)
            .isCloseTo(before - after, within(1e-4 * before));
      }
      assertThat(solved.values()).isEqualTo(rounded(solved.values(), stored));
      assertThat(problem.loss(solved.values())).isLessThan(problem.loss(start));
      for (int i = 0; i < start.length; i++) {
        if (problem.pruned()[i] == 0) {
          assertThat(Float.floatToRawIntBits(solved.values()[i])).isZero();
        } else {
          assertThat(solved.values()[i]).as("kept weight %d", i).isNotZero();
        }
      }
    }
  }

  private static float[] rounded(float[] values, DType type) {
    float[] rounded = values.clone();
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = FloatCodec.roundTo(type, rounded[i]);
    }
    return rounded;
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 2, 900, 1300", "0, 511, 512, 513, 1300", "0, 37, 1024, 1031, 1300"})
  void slicesOfRowsAndThreadsEqualTheWholeBitForBit(int a, int b, int c, int d, int e) {
    int in = 96;
    SmallProblem problem = SmallProblem.random(SEED, 1300, in, 300, 0.5);
    MaskedRefit refit = new MaskedRefit(0.01 * problem.meanDiagonal(), 7, 1e-4);
    float[] whole = Workers.on(2, () -> solve(refit, problem, DType.BF16)).values();
    int[] cuts = {a, b, c, d, e};
    for (int i = 0; i + 1 < cuts.length; i++) {
      int from = cuts[i] * in;
      int to = cuts[i + 1] * in;
      SmallProblem slice =
          new SmallProblem(
              cuts[i + 1] - cuts[i],
              in,
              Arrays.copyOfRange(problem.dense(), from, to),
              Arrays.copyOfRange(problem.pruned(), from, to),
              problem.gram());
      assertThat(solve(refit, slice, DType.BF16).values())
          .as("seed %d, rows %d to %d", SEED, cuts[i], cuts[i + 1])
          .isEqualTo(Arrays.copyOfRange(whole, from, to));
    }
  }

  @Test
  void readsBf16() {
    SmallProblem random = SmallProblem.random(SEED, 20, 48, 200, 0.5);
    SmallProblem problem =
        new SmallProblem(
            20,
            48,
            rounded(random.dense(), DType.BF16),
            rounded(random.pruned(), DType.BF16),
            random.gram());
    MaskedRefit refit = converging(0.1);
    try (INDArray dense = Floats.of(problem.dense(), 20, 48);
        INDArray pruned = Floats.of(problem.pruned(), 20, 48);
        INDArray narrowDense = BFloats.rounded(dense);
        INDArray narrowPruned = BFloats.rounded(pruned);
        INDArray gram = Floats.of(problem.gram(), 48, 48);
        RefittedWeight result = refit.solve(narrowDense, narrowPruned, gram, DType.BF16)) {
      assertThat(Floats.toArray(result.weight()))
          .isEqualTo(solve(refit, problem, DType.BF16).values());
    }
  }

  @Test
  void anEmptyMaskStaysEmptyAndAFullOneGivesTheDenseWeight() {
    SmallProblem problem = SmallProblem.random(SEED, 10, 32, 200, 0.5);
    float[] pruned = problem.pruned().clone();
    for (int j = 0; j < 32; j++) {
      pruned[3 * 32 + j] = j == 7 ? -0f : 0;
      pruned[4 * 32 + j] = 0.5f;
    }
    Solved solved = solve(converging(0), problem.with(pruned), DType.F32);
    for (int j = 0; j < 32; j++) {
      assertThat(Float.floatToRawIntBits(solved.values()[3 * 32 + j])).isZero();
      assertThat(solved.values()[4 * 32 + j]).isCloseTo(problem.dense()[4 * 32 + j], within(1e-3f));
    }
    assertThat(solved.gains()[3]).isZero();
    assertThat(solved.gains()[4]).isCloseTo(solved.before()[4], within(1e-5 * solved.before()[4]));
  }

  @Test
  void theDenseWeightAsItsOwnPrunedOneStays() {
    SmallProblem problem = SmallProblem.random(SEED, 10, 32, 200, 0);
    Solved solved = solve(converging(0.1), problem, DType.F32);
    assertThat(solved.values()).isEqualTo(problem.dense());
    assertThat(solved.before()).containsOnly(0);
    assertThat(solved.gains()).containsOnly(0);
  }

  @ParameterizedTest
  @CsvSource({"0", "0.5"})
  void weightsOfDeadInputsStay(double lambda) {
    SmallProblem problem = SmallProblem.random(SEED, 12, 48, 200, 0.5).withDead(5, 40);
    float[] pruned = problem.pruned().clone();
    for (int row = 0; row < 12; row++) {
      pruned[row * 48 + 5] = 0.25f * row;
      pruned[row * 48 + 40] = 0;
    }
    Solved solved = solve(converging(lambda), problem.with(pruned), DType.BF16);
    for (int row = 0; row < 12; row++) {
      assertThat(solved.gains()[row]).isPositive();
      assertThat(solved.values()[row * 48 + 5]).isEqualTo(0.25f * row);
      assertThat(solved.values()[row * 48 + 40]).isZero();
    }
  }

  @Test
  void fewTokensLeaveALossThatIsNearlyNothing() {
    // 8 tokens, about 24 kept weights a row: without damping the outputs can be met exactly
    SmallProblem problem = SmallProblem.random(SEED, 12, 48, 8, 0.5);
    float[] solved = solve(converging(0), problem, DType.F32).values();
    for (int row = 0; row < 12; row++) {
      assertThat(problem.loss(solved, row))
          .as("seed %d, row %d", SEED, row)
          .isLessThan(1e-4 * problem.loss(problem.pruned(), row));
    }
  }

  @Test
  void anInputWithoutTokensChangesNothing() {
    SmallProblem problem = SmallProblem.random(SEED, 4, 16, 100, 0.5);
    SmallProblem silent =
        new SmallProblem(4, 16, problem.dense(), problem.pruned(), new float[16 * 16]);
    Solved solved = solve(converging(0), silent, DType.F32);
    assertThat(solved.values()).isEqualTo(problem.pruned());
  }

  @Test
  void aSecondRefitFindsNothingToDo() {
    SmallProblem problem = SmallProblem.random(SEED, 30, 64, 300, 0.5);
    MaskedRefit refit = converging(0);
    Solved first = solve(refit, problem, DType.F32);
    Solved second = solve(refit, problem.with(first.values()), DType.F32);
    double left = Arrays.stream(second.gains()).sum();
    assertThat(left).isLessThan(1e-5 * problem.loss(first.values()));
  }

  @ParameterizedTest
  @CsvSource({"F32, 60", "BF16, 60", "F32, 2000", "BF16, 2000"})
  void gainsAsSmallAsRoundingErrorsAreNotTakenForGains(DType stored, int tokens) {
    SmallProblem problem = SmallProblem.random(SEED, 60, 192, tokens, 0.5);
    float[] start = rounded(problem.pruned(), stored);
    for (int round = 0; round < 6; round++) {
      float[] next = solve(new MaskedRefit(0, 200, 1e-9), problem.with(start), stored).values();
      for (int row = 0; row < problem.out(); row++) {
        assertThat(problem.loss(next, row))
            .as("seed %d, round %d, row %d", SEED, round, row)
            .isLessThanOrEqualTo(problem.loss(start, row));
      }
      start = next;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"BF16", "F16", "F32"})
  void extremeSizesKeepTheRowOrFitIt(DType stored) {
    for (float size : new float[] {1e-30f, 1e-6f, 1e4f, 1e12f}) {
      SmallProblem unit = SmallProblem.random(SEED, 8, 32, 200, 0.5);
      float[] dense = unit.dense().clone();
      float[] pruned = unit.pruned().clone();
      for (int i = 0; i < dense.length; i++) {
        dense[i] *= size;
        pruned[i] *= size;
      }
      SmallProblem problem = new SmallProblem(8, 32, dense, pruned, unit.gram());
      float[] start = rounded(pruned, stored);
      float[] solved = solve(converging(0), problem, stored).values();
      for (int row = 0; row < 8; row++) {
        if (Double.isFinite(problem.loss(start, row))) {
          assertThat(problem.loss(solved, row))
              .as("size %s, row %d", size, row)
              .isLessThanOrEqualTo(problem.loss(start, row));
        }
      }
    }
  }

  @Test
  void shapesAndSettingsAreChecked() {
    assertThatThrownBy(() -> new MaskedRefit(-1, 10, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A damping of -1.0");
    assertThatThrownBy(() -> new MaskedRefit(0, 0, 0.1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0 iterations until the residual is 0.1 of what it was");
    try (INDArray dense = Floats.zeros(2, 4);
        INDArray gram = Floats.zeros(3, 3)) {
      assertThatThrownBy(() -> converging(0).solve(dense, dense, gram, DType.F32))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Dense [2, 4], pruned [2, 4] and a Gram of [3, 3] do not fit");
    }
  }

  @Test
  void memoryIsThatOfTheFormula() {
    assertThat(MaskedRefit.nativeBytes(4096, 4096, 2)).isEqualTo((64L << 20) + 2 * (24L << 20));
    assertThat(MaskedRefit.nativeBytes(100, 4096, 2)).isEqualTo(4L * 4096 * 100 + (24L << 20));
    assertThat(MaskedRefit.heapBytes(4096, 2)).isEqualTo(4L * 4096 * 19);
  }
}
