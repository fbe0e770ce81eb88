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
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Our RTN and GPTQ against solutions of the published code, whatever the file holds of them. */
class SolverReferenceTest {
  private static final Pattern KEY =
      Pattern.compile(
          "(?<problem>\\w+)\\.(?<method>rtn|gptq)\\.b(?<bits>\\d)\\.g(?<group>-?\\d+)"
              + "\\.(?<sign>sym|asym)(?<mse>\\.mse)?(?<static>\\.actorder\\.static)?");

  @TestFactory
  Stream<DynamicTest> everyReferenceSolutionIsReproduced() {
    Optional<ReferenceTensors> file = ReferenceTensors.solvers();
    Assumptions.assumeTrue(file.isPresent(), "SHARDPRESS_REFERENCES is not set");
    ReferenceTensors references = file.get();
    List<String> keys =
        references.names().stream()
            .filter(n -> n.contains(".rtn.") || n.contains(".gptq."))
            .toList();
    assertThat(keys).as("solutions in the reference file").hasSizeGreaterThanOrEqualTo(30);
    return keys.stream().map(key -> DynamicTest.dynamicTest(key, () -> check(references, key)));
  }

  private static void check(ReferenceTensors references, String key) {
    Matcher parts = KEY.matcher(key);
    assertThat(parts.matches()).as("key %s", key).isTrue();
    String problem = parts.group("problem");
    long tokens = Long.parseLong(references.metadata(problem + ".tokens"));
    try (INDArray weight = references.matrix(problem + ".weight");
        INDArray expected = references.matrix(key);
        InputStatistics statistics = Layers.around(references.matrix(problem + ".gram"), tokens)) {
      LayerResult result =
          settings(parts).compress(key, weight, DType.F32, Optional.of(statistics));
      float[] w = Floats.toArray(weight);
      float[] q = Layers.values(result);
      float[] reference = Floats.toArray(expected);
      float[] gram = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      double loss = Layers.loss(w, q, gram, Floats.columns(weight));
      double referenceLoss = Double.parseDouble(references.metadata(key + ".loss"));
      double equal = equalShare(result.quantized(), q, reference);
      System.out.printf(
          "%-46s loss ratio %.6f, equal codes %.5f, reported/exact loss %.6f%n",
          key, loss / referenceLoss, equal, result.report().loss().orElseThrow() / loss);
      assertThat(result.outcome()).isEqualTo(new Outcome.Compressed());
      assertThat(result.report().loss().orElseThrow()).isCloseTo(loss, within(1e-4 * loss));
      if (parts.group("method").equals("rtn")) {
        assertDifferencesAreTies(result.quantized(), w, q, reference);
        assertThat(loss).isCloseTo(referenceLoss, within(1e-3 * referenceLoss));
      } else {
        // a code that flips where two are equally near changes the rest of its row
        assertThat(equal).as("equal codes").isGreaterThanOrEqualTo(0.998);
        assertThat(loss).isLessThanOrEqualTo(1.001 * referenceLoss);
      }
    }
  }

  private static Settings settings(Matcher parts) {
    int bits = Integer.parseInt(parts.group("bits"));
    boolean symmetric = parts.group("sign").equals("sym");
    int group = Integer.parseInt(parts.group("group"));
    GroupSize groupSize = group < 0 ? GroupSize.CHANNEL : GroupSize.of(group);
    Clip clip = parts.group("mse") == null ? Clip.ABSMAX : Clip.MSE;
    if (parts.group("method").equals("rtn")) {
      return new Rtn(bits, symmetric, groupSize, clip, Activations.NONE, NonfinitePolicy.FAIL);
    }
    return new Gptq(
        bits,
        symmetric,
        groupSize,
        clip,
        Activations.NONE,
        parts.group("static") == null ? ColumnOrder.NATURAL : ColumnOrder.STATIC,
        ScaleSource.AUTO,
        0.01,
        List.of(1.0),
        Fallback.FAIL,
        128,
        NonfinitePolicy.FAIL);
  }

  /** Round to nearest has two right answers only half way between them. */
  private static void assertDifferencesAreTies(
      QuantizedWeight weight, float[] w, float[] ours, float[] reference) {
    for (int i = 0; i < w.length; i++) {
      float step = scale(weight, i);
      if (Math.abs(ours[i] - reference[i]) > 0.01f * step) {
        assertThat(Math.abs(w[i] - ours[i]) / step)
            .as("element %d", i)
            .isCloseTo(0.5f, within(1e-5f));
        assertThat(Math.abs(w[i] - reference[i]) / step).isCloseTo(0.5f, within(1e-5f));
      }
    }
  }

  private static float scale(QuantizedWeight weight, int i) {
    int group = i / weight.in() * weight.groups() + weight.groupOfColumn()[i % weight.in()];
    return weight.scales()[group];
  }

  /** Values within a hundredth of a step are the same code of the same scale. */
  private static double equalShare(QuantizedWeight weight, float[] ours, float[] reference) {
    int equal = 0;
    for (int i = 0; i < ours.length; i++) {
      int group = i / weight.in() * weight.groups() + weight.groupOfColumn()[i % weight.in()];
      equal += Math.abs(ours[i] - reference[i]) <= 0.01f * weight.scales()[group] ? 1 : 0;
    }
    return equal / (double) ours.length;
  }
}
