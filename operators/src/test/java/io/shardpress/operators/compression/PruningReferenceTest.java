package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Our pruning against solutions of the published code, whatever the file holds of them. */
class PruningReferenceTest {
  private static final java.util.regex.Pattern KEY =
      java.util.regex.Pattern.compile(
          "(?<problem>\\w+)\\.(?<method>magnitude|wanda|sparsegpt)"
              + "\\.((?<share>0\\.\\d)|(?<kept>\\d)of(?<of>\\d))(\\.b(?<bits>\\d))?");

  @TestFactory
  Stream<DynamicTest> everyReferenceSolutionIsReproduced() {
    Optional<ReferenceTensors> file = ReferenceTensors.solvers();
    Assumptions.assumeTrue(file.isPresent(), "SHARDPRESS_REFERENCES is not set");
    ReferenceTensors references = file.get();
    List<String> keys =
        references.names().stream().filter(name -> KEY.matcher(name).matches()).toList();
    assertThat(keys).as("solutions in the reference file").hasSizeGreaterThanOrEqualTo(27);
    return keys.stream().map(key -> DynamicTest.dynamicTest(key, () -> check(references, key)));
  }

  private static void check(ReferenceTensors references, String key) {
    Matcher parts = KEY.matcher(key);
    assertThat(parts.matches()).as("key %s", key).isTrue();
    String problem = parts.group("problem");
    long tokens = Long.parseLong(references.metadata(problem + ".tokens"));
    try (INDArray weight = references.matrix(problem + ".weight");
        INDArray expected = references.matrix(key);
        InputStatistics statistics = observed(references.matrix(problem + ".gram"), tokens)) {
      Pruner settings = settings(parts);
      LayerResult result = settings.compress(key, weight, DType.F32, Optional.of(statistics));
      float[] w = Floats.toArray(weight);
      float[] q = Layers.values(result);
      float[] reference = Floats.toArray(expected);
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      double loss = Layers.loss(w, q, gram, Floats.columns(weight));
      double referenceLoss = Double.parseDouble(references.metadata(key + ".loss"));
      double equal = equalMasks(q, reference);
      System.out.printf(
          "%-30s loss ratio %.6f, equal mask %.5f, sparsity %.5f, reported/exact loss %.6f%n",
          key,
          loss / referenceLoss,
          equal,
          result.report().sparsity(),
          result.report().loss().orElseThrow() / loss);
      assertThat(result.outcome()).isEqualTo(new Outcome.Compressed());
      assertThat(result.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      assertThat(loss).isLessThanOrEqualTo(1.001 * referenceLoss);
      if (settings.amount() instanceof Pattern pattern) {
        assertPattern(q, pattern);
      }
      if (parts.group("method").equals("sparsegpt")) {
        // a weight that is chosen where two are equally dear changes the rest of its row
        assertThat(equal).as("equal mask entries").isGreaterThanOrEqualTo(0.99);
      } else {
        assertThat(q).as("magnitude and Wanda leave what they keep").containsExactly(reference);
      }
    }
  }

  private static Pruner settings(Matcher parts) {
    Optional<Double> share = Optional.ofNullable(parts.group("share")).map(Double::valueOf);
    Optional<Pattern> pattern =
        Optional.ofNullable(parts.group("of"))
            .map(of -> new Pattern(Integer.parseInt(parts.group("kept")), Integer.parseInt(of)));
    return switch (parts.group("method")) {
      case "magnitude" ->
          new Magnitude(share, pattern, Magnitude.Scope.LAYER, NonfinitePolicy.FAIL);
      case "wanda" -> new Wanda(share, pattern, Budget.UNIFORM, NonfinitePolicy.FAIL);
      default ->
          new SparseGpt(
              share,
              pattern,
              Budget.UNIFORM,
              Optional.ofNullable(parts.group("bits")).map(Integer::valueOf),
              false,
              Levels.FULL,
              GroupSize.CHANNEL,
              Clip.ABSMAX,
              0.01,
              List.of(1.0),
              128,
              NonfinitePolicy.FAIL);
    };
  }

  /** A Gram's diagonal is what Wanda needs of the moments. */
  private static InputStatistics observed(INDArray matrix, long tokens) {
    Gram gram = Gram.of(matrix);
    float[] diagonal = gram.diagonal();
    double[] squares = new double[diagonal.length];
    for (int j = 0; j < squares.length; j++) {
      squares[j] = diagonal[j];
    }
    return new InputStatistics(
        "input",
        tokens,
        new double[squares.length],
        squares,
        new float[squares.length],
        Optional.of(gram));
  }

  private static void assertPattern(float[] q, Pattern pattern) {
    for (int from = 0; from < q.length; from += pattern.of()) {
      int zeros = 0;
      for (int j = from; j < from + pattern.of(); j++) {
        zeros += q[j] == 0 ? 1 : 0;
      }
      assertThat(zeros)
          .as("zeros from %d on", from)
          .isGreaterThanOrEqualTo(pattern.of() - pattern.kept());
    }
  }

  private static double equalMasks(float[] ours, float[] reference) {
    int equal = 0;
    for (int i = 0; i < ours.length; i++) {
      equal += (ours[i] == 0) == (reference[i] == 0) ? 1 : 0;
    }
    return equal / (double) ours.length;
  }
}
