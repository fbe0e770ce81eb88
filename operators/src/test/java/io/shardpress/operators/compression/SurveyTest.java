package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.operators.compression.Survey.Again;
import io.shardpress.operators.compression.Survey.Decided;
import io.shardpress.operators.compression.Survey.Finding;
import io.shardpress.operators.compression.Survey.Next;
import io.shardpress.operators.compression.Survey.Subject;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Surveys as jobs take them: looks at many linears, round by round, until they have decided. */
class SurveyTest {
  private static final long SEED = 1234;

  /** Some rows of a linear, with the statistics of its input. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Looked(
      Subject subject, float[] weight, DType type, Optional<InputStatistics> statistics) {

    static Looked at(String module, int stage, int out, int in, float[] weight, DType type) {
      return new Looked(
          new Subject(module, stage, 0, out, out, in), weight, type, Optional.empty());
    }

    Looked rows(int first, int end) {
      int in = (int) subject.in();
      return new Looked(
          new Subject(subject.module(), subject.stage(), first, end - first, subject.out(), in),
          Arrays.copyOfRange(weight, first * in, end * in),
          type,
          statistics);
    }

    INDArray matrix() {
      INDArray floats = Floats.of(weight, subject.rows(), subject.in());
      if (type != DType.BF16) {
        return floats;
      }
      try (floats) {
        return BFloats.rounded(floats);
      }
    }

    Finding look(Survey survey) {
      try (INDArray matrix = matrix()) {
        return survey.look(subject, matrix, statistics);
      }
    }

    float[] solved(Settings settings) {
      try (INDArray matrix = matrix()) {
        return Layers.values(settings.compress(subject.module(), matrix, type, statistics));
      }
    }
  }

  private static Map<Subject, Settings> survey(Survey survey, List<Looked> all) {
    Survey current = survey;
    for (int round = 0; round < 5; round++) {
      Survey each = current;
      Next next = current.next(all.stream().map(one -> one.look(each)).toList());
      if (next instanceof Decided decided) {
        return decided.settings();
      }
      current = ((Again) next).survey();
    }
    throw new AssertionError("no end after five rounds");
  }

  private static float[] values(long seed, int count, DType type, boolean coarse) {
    float[] values;
    try (INDArray matrix = Layers.gaussian(seed, 1, count)) {
      values = Floats.toArray(matrix);
    }
    for (int i = 0; i < count; i++) {
      values[i] =
          FloatCodec.roundTo(type, coarse ? Math.round(3 * values[i]) / 8f : values[i] / 30);
    }
    return values;
  }

  private static Magnitude global(double share) {
    return new Magnitude(
        Optional.of(share), Optional.empty(), Magnitude.Scope.GLOBAL, NonfinitePolicy.FAIL);
  }

  private static float[] joined(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private static float[] withoutSmallest(float[] values, double share) {
    float[] left = values.clone();
    IntStream.range(0, values.length)
        .boxed()
        .sorted(
            Comparator.comparingDouble((Integer i) -> Math.abs(values[i])).thenComparing(i -> i))
        .limit((long) (share * values.length))
        .forEach(i -> left[i] = 0);
    return left;
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 0.5",
    "F32, 0",
    "F32, 0.999",
    "F32, 0.123",
    "BF16, 0.5",
    "BF16, 0.9",
    "BF16, 0",
    "F16, 0.5",
    "F16, 0.77"
  })
  void aGlobalThresholdIsThatOfAllWeightsSorted(DType type, double share) {
    for (boolean coarse : new boolean[] {false, true}) {
      List<Looked> all = new ArrayList<>();
      int[][] shapes = {{40, 30}, {300, 7}, {1, 5}, {64, 64}};
      for (int i = 0; i < shapes.length; i++) {
        int out = shapes[i][0];
        int in = shapes[i][1];
        all.add(Looked.at("m" + i, i, out, in, values(SEED + i, out * in, type, coarse), type));
      }
      Map<Subject, Settings> settings = survey(global(share).survey().orElseThrow(), all);

      float[] expected = withoutSmallest(joined(all.stream().map(Looked::weight).toList()), share);
      float[] found =
          joined(all.stream().map(one -> one.solved(settings.get(one.subject()))).toList());
      assertSame(found, expected, "seed %d, coarse %s".formatted(SEED, coarse));
    }
  }

  private static void assertSame(float[] found, float[] expected, String what) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("%s: weight %d", what, i).isEqualTo(expected[i] + 0f);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Magnitude.Scope.class,
      names = {"LAYER", "GLOBAL"})
  void slicesOfALayerLoseWhatTheWholeLoses(Magnitude.Scope scope) {
    Magnitude settings =
        new Magnitude(Optional.of(0.4), Optional.empty(), scope, NonfinitePolicy.FAIL);
    for (boolean coarse : new boolean[] {false, true}) {
      Looked whole =
          Looked.at("m", 0, 700, 11, values(SEED, 700 * 11, DType.BF16, coarse), DType.BF16);
      List<Looked> slices =
          List.of(whole.rows(0, 1), whole.rows(1, 300), whole.rows(300, 556), whole.rows(556, 700));
      Survey survey = settings.survey().orElseThrow();
      assertThat(slices).allMatch(slice -> survey.concerns(slice.subject()));
      assertThat(survey.concerns(whole.subject())).isEqualTo(scope == Magnitude.Scope.GLOBAL);

      Map<Subject, Settings> decided = survey(survey, slices);

      float[] found =
          joined(slices.stream().map(one -> one.solved(decided.get(one.subject()))).toList());
      assertSame(found, withoutSmallest(whole.weight(), 0.4), "coarse " + coarse);
      assertSame(whole.solved(Magnitude.of(0.4)), found, "solved at once");
    }
  }

  /** Layers of a scope of their own do not disturb one another. */
  @Test
  void slicedLayersHaveThresholdsOfTheirOwn() {
    Looked small = Looked.at("small", 0, 60, 9, values(1, 540, DType.F32, true), DType.F32);
    float[] tenfold = values(2, 540, DType.F32, true);
    for (int i = 0; i < tenfold.length; i++) {
      tenfold[i] *= 10;
    }
    Looked large = Looked.at("large", 0, 60, 9, tenfold, DType.F32);
    List<Looked> slices =
        List.of(small.rows(0, 20), large.rows(0, 50), small.rows(20, 60), large.rows(50, 60));
    Map<Subject, Settings> decided = survey(Magnitude.of(0.5).survey().orElseThrow(), slices);
    for (Looked whole : List.of(small, large)) {
      float[] found =
          joined(
              slices.stream()
                  .filter(slice -> slice.subject().module().equals(whole.subject().module()))
                  .map(slice -> slice.solved(decided.get(slice.subject())))
                  .toList());
      assertSame(found, withoutSmallest(whole.weight(), 0.5), whole.subject().module());
    }
  }

  @Test
  void rowsAndPatternsNeedNoSurvey() {
    assertThat(Magnitude.of(new Pattern(2, 4)).survey()).isEmpty();
    assertThat(
            new Magnitude(
                    Optional.of(0.5), Optional.empty(), Magnitude.Scope.ROW, NonfinitePolicy.FAIL)
                .survey())
        .isEmpty();
    assertThat(Wanda.of(0.5).survey()).isEmpty();
    assertThat(SparseGpt.of(0.5).survey()).isEmpty();
  }

  private static Wanda owl(double sparsity, double spread) {
    return new Wanda(
        Optional.of(sparsity),
        Optional.empty(),
        new Budget(Budget.Method.OWL, 5, spread),
        NonfinitePolicy.FAIL);
  }

  /** Inputs whose channels are of about the same size. */
  private static InputStatistics evenInputs(int channels) {
    try (INDArray x = Layers.gaussian(SEED, 50, channels)) {
      return Layers.statistics(x);
    }
  }

  /** Blocks of two linears, of different sizes; later ones have more outliers. */
  private static List<Looked> blocks(int count) {
    List<Looked> all = new ArrayList<>();
    for (int stage = 0; stage < count; stage++) {
      for (int linear = 0; linear < 2; linear++) {
        int out = 30 + 10 * stage;
        int in = 24 + 8 * linear;
        float[] weight = values(SEED + 10L * stage + linear, out * in, DType.F32, false);
        for (int i = 0; i < weight.length; i += 400 / (stage + 1)) {
          weight[i] = 1; // thirty times the others
        }
        all.add(
            new Looked(
                new Subject("m%d.%d".formatted(stage, linear), stage, 0, out, out, in),
                weight,
                DType.F32,
                Optional.of(evenInputs(in))));
      }
    }
    return all;
  }

  private static Map<Integer, Double> shares(List<Looked> all, Map<Subject, Settings> decided) {
    Map<Integer, Double> shares = new LinkedHashMap<>();
    for (Looked one : all) {
      double share = ((Pruner) decided.get(one.subject())).amount().share();
      Double other = shares.put(one.subject().stage(), share);
      assertThat(other == null || other == share).as("one share for a block").isTrue();
    }
    return shares;
  }

  private static double mean(List<Looked> all, Map<Integer, Double> shares) {
    double sum = 0;
    double weights = 0;
    for (Looked one : all) {
      sum += shares.get(one.subject().stage()) * one.subject().weights();
      weights += one.subject().weights();
    }
    return sum / weights;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.05, 0.3, 0.5, 0.7, 0.95, 0.99})
  void owlLeavesMoreToBlocksWithOutliersAndMeetsTheShare(double sparsity) {
    List<Looked> all = blocks(5);
    Wanda settings = owl(sparsity, 0.08);
    Map<Integer, Double> shares = shares(all, survey(settings.survey().orElseThrow(), all));

    assertThat(mean(all, shares)).isCloseTo(sparsity, within(1e-9));
    assertThat(shares.values()).allMatch(share -> share >= 0 && share < 1);
    double least = shares.values().stream().mapToDouble(s -> s).min().orElseThrow();
    double most = shares.values().stream().mapToDouble(s -> s).max().orElseThrow();
    assertThat(most - least).isBetween(0.0, 2 * 0.08 + 1e-9);
    if (sparsity >= 0.3 && sparsity <= 0.7) {
      assertThat(most - least).as("nothing is at a bound").isCloseTo(0.16, within(1e-9));
      assertThat(shares.get(4)).as("the block with most outliers").isEqualTo(least);
      assertThat(shares.get(0)).isEqualTo(most);
    }
  }

  @Test
  void owlKeepsALittleOfEveryBlock() {
    List<Looked> all = blocks(4);
    Map<Integer, Double> shares = shares(all, survey(owl(0.9, 0.5).survey().orElseThrow(), all));
    assertThat(shares.get(0)).isCloseTo(0.98, within(1e-9));
    assertThat(mean(all, shares)).isCloseTo(0.9, within(1e-9));
  }

  @Test
  void owlWithoutSpreadOrDifferencesIsUniform() {
    List<Looked> all = blocks(3);
    for (double share : shares(all, survey(owl(0.6, 0).survey().orElseThrow(), all)).values()) {
      assertThat(share).isCloseTo(0.6, within(1e-9));
    }
    List<Looked> one = all.subList(0, 2);
    assertThat(shares(one, survey(owl(0.6, 0.3).survey().orElseThrow(), one)).get(0))
        .isCloseTo(0.6, within(1e-9));
  }

  @Test
  void owlSeesTheSameInSlicesOfRows() {
    List<Looked> all = blocks(3);
    List<Looked> slices = new ArrayList<>();
    for (Looked one : all) {
      int out = (int) one.subject().out();
      slices.add(one.rows(0, 13));
      slices.add(one.rows(13, out));
    }
    Survey survey = owl(0.5, 0.08).survey().orElseThrow();
    Map<Integer, Double> whole = shares(all, survey(survey, all));
    shares(slices, survey(survey, slices))
        .forEach((stage, share) -> assertThat(share).isCloseTo(whole.get(stage), within(1e-12)));
  }

  /** Experts that no token reached have no scores, but weights that count. */
  @Test
  void owlCountsLinearsWithoutStatistics() {
    List<Looked> all = new ArrayList<>(blocks(3));
    all.add(Looked.at("starved", 1, 50, 24, values(5, 1200, DType.F32, false), DType.F32));
    all.add(Looked.at("alone", 7, 50, 24, values(6, 1200, DType.F32, false), DType.F32));
    Map<Integer, Double> shares = shares(all, survey(owl(0.5, 0.08).survey().orElseThrow(), all));
    assertThat(mean(all, shares)).isCloseTo(0.5, within(1e-9));
  }

  @Test
  void budgetsThatMakeNoSenseAreRefusedWithTheirKey() {
    for (double multiple : new double[] {1, 0, -5, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new Budget(Budget.Method.OWL, multiple, 0.08))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("budget.multiple = " + multiple);
    }
    for (double spread : new double[] {-0.01, 0.51, Double.NaN}) {
      assertThatThrownBy(() -> new Budget(Budget.Method.OWL, 5, spread))
          .isInstanceOf(InputException.class)
          .hasMessage("budget.spread = %s: give 0 to 0.5.", spread);
    }
    assertThat(Budget.parse("owl")).isEqualTo(Budget.OWL);
    assertThat(Budget.parse("uniform")).isEqualTo(Budget.UNIFORM);
    assertThatThrownBy(() -> Budget.parse("even"))
        .isInstanceOf(InputException.class)
        .hasMessage("budget = even: give uniform or owl.");
    assertThatThrownBy(
            () ->
                new Wanda(
                        Optional.empty(),
                        Optional.of(new Pattern(2, 4)),
                        Budget.OWL,
                        NonfinitePolicy.FAIL)
                    .survey())
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("budget = owl does not go with pattern = \"2:4\"");
  }
}
