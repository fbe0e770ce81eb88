package io.shardpress.operators.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.compression.DenseWeight;
import io.shardpress.operators.compression.Grid;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Levels;
import io.shardpress.operators.compression.Pattern;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.compression.SparseGpt;
import io.shardpress.operators.compression.Storage;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What is pruned and not quantized is stored as any runtime reads it, whatever the format. */
class PrunedWeightsTest {
  private static final long SEED = 17;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static float[] sparse(int count, DType type) {
    Random random = new Random(SEED);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          random.nextBoolean() ? 0 : FloatCodec.roundTo(type, (float) random.nextGaussian());
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({
    "F32, OUT_IN",
    "F16, OUT_IN",
    "BF16, OUT_IN",
    "F32, IN_OUT",
    "F16, IN_OUT",
    "BF16, IN_OUT"
  })
  void takesTheWeightsPlaceInItsTypeAndLayout(DType type, Layout layout) {
    int out = 70;
    int in = 13;
    float[] values = sparse(out * in, type);
    StoredLinear linear = new StoredLinear("m", out, in, type, layout);
    for (Encoder encoder : List.of(new CompressedTensors(), new DequantizedWeights())) {
      DenseWeight weight;
      try (INDArray matrix = Floats.of(values, out, in)) {
        weight = DenseWeight.of(matrix, type);
      }
      List<RawTensor> tensors = encoder.encode(linear, weight);
      assertThat(tensors)
          .extracting(RawTensor::spec)
          .isEqualTo(encoder.plan(linear, Storage.PLAIN))
          .containsExactly(
              layout == Layout.OUT_IN
                  ? TensorSpec.of("m.weight", type, out, in)
                  : TensorSpec.of("m.weight", type, in, out));

      CompressedWeight read =
          encoder.read(linear, Storage.PLAIN, Map.of("m.weight", tensors.get(0)));

      float[] row = new float[in];
      for (int i = 0; i < out; i++) {
        read.readRow(i, row);
        assertThat(row)
            .as("seed %d: row %d", SEED, i)
            .isEqualTo(Arrays.copyOfRange(values, i * in, (i + 1) * in));
      }
      assertThat(((DenseWeight) read).data()).isEqualTo(weight.data());
    }
  }

  @Test
  void aModelWithoutCodesHasNoQuantizationConfig() {
    ObjectNode source = JSON.createObjectNode().put("model_type", "llama");
    for (Encoder encoder : List.of(new CompressedTensors(), new DequantizedWeights())) {
      ObjectNode config = encoder.config(source, Map.of(), Set.of("lm_head", "layers.0.a"));
      assertThat(config).isEqualTo(source).isNotSameAs(source);
    }
  }

  @Test
  void besideCodesItIsIgnored() {
    Scheme scheme =
        new Scheme(new Grid(4, true), GroupSize.of(32), ColumnOrder.STATIC, Activations.NONE);
    ObjectNode config =
        new CompressedTensors()
            .config(
                JSON.createObjectNode(),
                Map.of("layers.0.a", scheme, "layers.1.a", scheme),
                Set.of("layers.0.b", "layers.1.b"));
    QuantizationConfig read =
        QuantizationConfig.read((ObjectNode) config.get("quantization_config"));
    assertThat(config.at("/quantization_config/ignore").toString())
        .isEqualTo("[\"layers.0.b\",\"layers.1.b\",\"lm_head\"]");
    assertThat(read.schemeOf("layers.1.a")).contains(scheme);
    assertThat(read.schemeOf("layers.1.b")).isEmpty();
  }

  /** Readers do not ask which codes a grid leaves unused. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void codesOfAnyWidthAreReadBackAsTheirConfigSays(int bits) {
    SparseGpt settings =
        SparseGpt.of(new Pattern(2, 4)).quantized(bits, GroupSize.of(16), Levels.ZERO_ALIGNED);
    try (INDArray weight = Floats.of(sparse(40 * 48, DType.F32), 40, 48)) {
      CompressedWeight made =
          settings
              .compress("m", weight, DType.BF16, java.util.Optional.empty())
              .weight()
              .orElseThrow();
      CompressedTensors encoder = new CompressedTensors();
      StoredLinear linear = new StoredLinear("m", 40, 48, DType.BF16, Layout.OUT_IN);
      Map<String, RawTensor> tensors = new java.util.HashMap<>();
      encoder.encode(linear, made).forEach(tensor -> tensors.put(tensor.spec().name(), tensor));
      Scheme scheme = (Scheme) settings.storage(Storage.PLAIN);
      ObjectNode config = encoder.config(JSON.createObjectNode(), Map.of("m", scheme), Set.of());

      Scheme found =
          QuantizationConfig.read((ObjectNode) config.get("quantization_config"))
              .schemeOf("m")
              .orElseThrow();

      assertThat(found.grid()).isEqualTo(new Grid(bits, true));
      CompressedWeight read = encoder.read(linear, found, tensors);
      float[] expected = new float[48];
      float[] row = new float[48];
      for (int i = 0; i < 40; i++) {
        made.readRow(i, expected);
        read.readRow(i, row);
        assertThat(row).as("seed %d: row %d", SEED, i).isEqualTo(expected);
      }
    }
  }
}
