package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Solutions of published code, and of our own GPTQ on the same problems, get better. */
class RefitReferenceTest {

  private static ReferenceTensors references() {
    Optional<ReferenceTensors> file = ReferenceTensors.solvers();
    Assumptions.assumeTrue(file.isPresent(), "SHARDPRESS_REFERENCES is not set");
    return file.get();
  }

  @TestFactory
  Stream<DynamicTest> everyReferencePruningLosesLessAfterARefit() {
    ReferenceTensors references = references();
    List<String> keys =
        references.names().stream()
            .filter(name -> name.matches("\\w+\\.sparsegpt\\.(0\\.\\d|\\dof\\d)"))
            .sorted()
            .toList();
    assertThat(keys).as("pruned weights in the reference file").hasSizeGreaterThanOrEqualTo(12);
    return keys.stream().map(key -> DynamicTest.dynamicTest(key, () -> refit(references, key)));
  }

  private static void refit(ReferenceTensors references, String key) {
    String problem = key.substring(0, key.indexOf('.'));
    try (INDArray dense = references.matrix(problem + ".weight");
        INDArray pruned = references.matrix(key);
        INDArray gram = references.matrix(problem + ".gram");
        RefittedWeight result =
            new MaskedRefit(0, 30, 1e-4).solve(dense, pruned, gram, DType.F32)) {
      SmallProblem plain = problem(dense, pruned, gram);
      float[] refitted = Floats.toArray(result.weight());
      double before = plain.loss(plain.pruned());
      double after = plain.loss(refitted);
      System.out.printf("%-22s %.6g -> %.6g (%.4f)%n", key, before, after, after / before);
      assertThat(after).isLessThan(0.99 * before);
      for (int row = 0; row < plain.out(); row++) {
        assertThat(plain.loss(refitted, row))
            .as("row %d", row)
            .isLessThanOrEqualTo(plain.loss(plain.pruned(), row));
      }
      for (int i = 0; i < refitted.length; i++) {
        assertThat(refitted[i] == 0).isEqualTo(plain.pruned()[i] == 0);
      }
    }
  }

  private static SmallProblem problem(INDArray dense, INDArray pruned, INDArray gram) {
    return new SmallProblem(
        Floats.rows(dense),
        Floats.columns(dense),
        Floats.toArray(dense),
        Floats.toArray(pruned),
        Floats.toArray(gram));
  }

  @TestFactory
  Stream<DynamicTest> everyResultOfGptqLosesLessAfterSweepsOfItsCodes() {
    ReferenceTensors references = references();
    return Stream.of("square", "wide", "tall")
        .flatMap(
            problem ->
                Stream.of(
                        Gptq.of(4, GroupSize.CHANNEL),
                        Gptq.of(4, GroupSize.of(64)),
                        Gptq.of(3, GroupSize.of(64)),
                        Gptq.of(2, GroupSize.of(32)))
                    .map(
                        gptq ->
                            DynamicTest.dynamicTest(
                                problem + ", " + gptq.scheme(),
                                () -> descend(references, problem, gptq))));
  }

  private static void descend(ReferenceTensors references, String problem, Gptq gptq) {
    long tokens = Long.parseLong(references.metadata(problem + ".tokens"));
    try (INDArray dense = references.matrix(problem + ".weight");
        INDArray gram = references.matrix(problem + ".gram");
        InputStatistics statistics = Layers.around(Floats.copy(gram), tokens)) {
      LayerResult solved = gptq.compress(problem, dense, DType.BF16, Optional.of(statistics));
      QuantizedWeight improved =
          new CodeDescent(3, Zeros.FREE).improve(dense, solved.quantized(), gram).weight();
      try (INDArray start = solved.quantized().matrix();
          INDArray end = improved.matrix()) {
        SmallProblem plain = problem(dense, start, gram);
        double before = plain.loss(plain.pruned());
        double after = plain.loss(Floats.toArray(end));
        System.out.printf(
            "%-8s %-20s %.6g -> %.6g (%.4f)%n",
            problem, gptq.scheme(), before, after, after / before);
        assertThat(after).isLessThan(before);
      }
    }
  }
}
