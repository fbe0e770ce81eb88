package io.shardpress.operators.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.operators.linalg.Floats;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The forward pass against hidden states, logits and losses recorded from transformers in F32. */
class ReferenceForwardTest {
  /** Largest difference, relative to the largest value of the recorded tensor. */
  private static final double TOLERANCE = 1e-4;

  @TestFactory
  Stream<DynamicNode> every_reference_checkpoint() {
    Path root = References.root().orElse(null);
    Assumptions.assumeTrue(root != null, "SHARDPRESS_REFERENCES is not set");
    return References.folders(root.resolve("architectures")).stream()
        .map(folder -> dynamicContainer(folder.getFileName().toString(), tests(folder)));
  }

  private static Stream<DynamicNode> tests(Path folder) {
    ModelConfig config = References.config(folder);
    if (!Architectures.modelTypes().contains(config.modelType())) {
      return Stream.of(
          dynamicTest(
              "is not a decoder",
              () ->
                  Assumptions.abort(
                      config.modelType() + " is not among the families that run forward")));
    }
    Run run = Run.of(folder, config);
    Stream<DynamicNode> tensors = run.outputs().keySet().stream().map(name -> matches(name, run));
    Stream<DynamicNode> rest =
        Stream.of(
            dynamicTest(
                "loss",
                () -> {
                  double expected = run.reference("loss")[0];
                  System.out.printf(
                      "%s loss %.3g%n", folder.getFileName(), run.loss() / expected - 1);
                  assertThat(run.loss()).isCloseTo(expected, offsetOf(expected));
                }),
            dynamicTest("leaves no weights open", () -> assertThat(run.openWeights()).isZero()));
    return Stream.concat(tensors, rest);
  }

  private static Offset<Double> offsetOf(double expected) {
    return Offset.offset(TOLERANCE * expected);
  }

  private static DynamicNode matches(String tensor, Run run) {
    return dynamicTest(
        tensor,
        () -> {
          float[] actual = run.outputs().get(tensor);
          float[] expected = run.reference(tensor);
          assertThat(actual).hasSameSizeAs(expected);
          double largest = 0;
          double difference = 0;
          for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs((double) expected[i] - actual[i]));
          }
          System.out.printf("%s %s %.3g%n", run.name(), tensor, difference / largest);
          assertThat(difference / largest)
              .as("largest difference relative to the largest value %s", largest)
              .isLessThan(TOLERANCE);
        });
  }

  /** One pass over a reference checkpoint. */
  private record Run(
      String name,
      Map<String, RawTensor> references,
      Map<String, float[]> outputs,
      double loss,
      long openWeights) {

    static Run of(Path folder, ModelConfig config) {
      Map<String, RawTensor> references =
          References.tensors(folder.resolve("reference.safetensors"));
      Map<String, RawTensor> tensors = References.weights(folder);
      TensorMap weights = new TensorMap(tensors);
      Architecture model = Architectures.of(config, tensors.keySet()).orElseThrow();
      RawTensor ids = references.get("input_ids");
      int length = ids.spec().shape().get(1).intValue();
      LongBuffer buffer = ids.data().asLongBuffer();
      long[] tokens = new long[buffer.remaining()];
      buffer.get(tokens);
      Map<String, float[]> outputs = new LinkedHashMap<>();
      try (INDArray x = model.embed(tokens, length, weights)) {
        for (int block = 0; block < model.blocks(); block++) {
          outputs.put("hidden_states." + block, Floats.toArray(x));
          model.block(block, x, length, weights, InputObserver.NONE);
        }
        try (INDArray normed = model.finalNorm(x, weights);
            LogitHead head = model.head(weights);
            INDArray logits = head.logits(x)) {
          // transformers records the last hidden state behind the final norm.
          outputs.put("hidden_states." + model.blocks(), Floats.toArray(normed));
          outputs.put("logits", Floats.toArray(logits));
        }
      }
      return new Run(
          folder.getFileName().toString(),
          references,
          outputs,
          NextTokenLoss.mean(outputs.get("logits"), tokens, length),
          weights.open());
    }

    float[] reference(String tensor) {
      try (INDArray array = Floats.decode(references.get(tensor))) {
        return Floats.toArray(array);
      }
    }
  }
}
