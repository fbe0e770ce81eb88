package io.shardpress.operators.encoding;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.FloatCodec;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.Clip;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.NonfinitePolicy;
import io.shardpress.operators.compression.QuantizedWeight;
import io.shardpress.operators.compression.Rtn;
import io.shardpress.operators.compression.UpstreamArithmetic;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.LinearModule.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Byte for byte what compressed-tensors writes, for every case of an integer format. */
class CompressedTensorsGoldenTest {
  private static final List<String> INTEGER_FORMATS = List.of("pack-quantized", "int-quantized");

  /** Formats of the file that hold floats: other encoders than this one. */
  private static final List<String> FLOAT_FORMATS =
      List.of("float-quantized", "nvfp4-pack-quantized", "mxfp4-pack-quantized", "mxfp8-quantized");

  private record Case(
      String preset, String format, DType type, int out, int in, Map<String, String> tensors) {
    String name() {
      return "%s %s %s [%d,%d]".formatted(preset, format, type, out, in);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyIntegerCaseIsReproduced() throws IOException {
    List<Case> cases = cases();
    assertThat(cases).extracting(Case::format).containsAll(INTEGER_FORMATS);
    assertThat(cases)
        .extracting(Case::format)
        .allMatch(format -> INTEGER_FORMATS.contains(format) || FLOAT_FORMATS.contains(format));
    return cases.stream()
        .filter(c -> INTEGER_FORMATS.contains(c.format))
        .map(c -> DynamicTest.dynamicTest(c.name(), () -> check(c)));
  }

  private static void check(Case golden) {
    Rtn settings = settings(golden);
    StoredLinear linear = new StoredLinear("m", golden.out, golden.in, golden.type, Layout.OUT_IN);
    CompressedTensors encoder = new CompressedTensors();
    QuantizedWeight quantized;
    try (INDArray weight = input(golden)) {
      quantized = UpstreamArithmetic.rtn(settings, weight, golden.type);
    }
    List<RawTensor> encoded = encoder.encode(linear, quantized);
    Map<String, String> actual = new LinkedHashMap<>();
    for (RawTensor tensor : encoded) {
      actual.put(tensor.spec().name().substring(2), describe(tensor));
    }
    assertThat(actual).containsExactlyInAnyOrderEntriesOf(golden.tensors);
    assertThat(encoder.plan(linear, settings.scheme()))
        .isEqualTo(encoded.stream().map(RawTensor::spec).toList());

    QuantizedWeight back =
        CompressedTensors.codes(
            linear,
            settings.scheme(),
            encoded.stream().collect(Collectors.toMap(t -> t.spec().name(), t -> t)));
    assertThat(back.codes()).isEqualTo(quantized.codes());
    assertThat(back.scales()).isEqualTo(quantized.scales());
    assertThat(back.zeroPoints()).isEqualTo(quantized.zeroPoints());
    System.out.println(golden.name() + ": equal bytes");
  }

  /** Group 128, or as the file's header says. */
  private static Rtn settings(Case golden) {
    int bits = golden.preset.charAt(1) - '0';
    boolean packedChannel = golden.preset.equals("W8A16");
    boolean activations = golden.preset.equals("W8A8");
    int group = golden.preset.endsWith("g32") ? 32 : 128;
    return new Rtn(
        bits,
        !golden.preset.endsWith("_ASYM"),
        packedChannel || activations ? GroupSize.CHANNEL : GroupSize.of(group),
        Clip.ABSMAX,
        activations ? Activations.DYNAMIC_INT8 : Activations.NONE,
        NonfinitePolicy.FAIL);
  }

  /** The input of every golden file: {@code ((i · 2654435761 mod 2^32) >> 8) · 2^-24 − 0.5}. */
  private static INDArray input(Case golden) {
    float[] x = new float[golden.out * golden.in];
    for (int i = 0; i < x.length; i++) {
      float value = (((i * 2654435761L) & 0xFFFFFFFFL) >> 8) * 0x1p-24f - 0.5f;
      x[i] = FloatCodec.roundTo(golden.type, value);
    }
    return Floats.of(x, golden.out, golden.in);
  }

  private static String describe(RawTensor tensor) {
    byte[] bytes = new byte[tensor.data().remaining()];
    tensor.data().get(bytes);
    String shape =
        tensor.spec().shape().stream().map(String::valueOf).collect(Collectors.joining(","));
    return "%s [%s] %s".formatted(tensor.spec().dtype(), shape, HexFormat.of().formatHex(bytes));
  }

  @Test
  void theConfigurationSaysWhatUpstreamSays() throws IOException {
    String line = lines().stream().filter(l -> l.startsWith("config ")).findFirst().orElseThrow();
    ObjectNode golden = (ObjectNode) new ObjectMapper().readTree(line.substring(7));
    ObjectNode ours =
        QuantizationConfigWriter.write(
            Map.of("m", Rtn.of(4, GroupSize.of(128)).scheme()), java.util.Set.of("lm_head"));
    for (String key : List.of("quant_method", "format", "quantization_status", "ignore")) {
      assertThat(ours.get(key)).as(key).isEqualTo(golden.get(key));
    }
    for (String key : List.of("targets", "weights", "input_activations", "output_activations")) {
      assertThat(ours.at("/config_groups/group_0/" + key))
          .as(key)
          .isEqualTo(golden.at("/config_groups/group_0/" + key));
    }
    assertThat(QuantizationConfig.read(golden).schemeOf("model.layers.0.mlp.down_proj"))
        .contains(Rtn.of(4, GroupSize.of(128)).scheme());
    assertThat(QuantizationConfig.read(golden).schemeOf("lm_head")).isEmpty();
  }

  private static List<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (String line : lines()) {
      if (line.startsWith("case ")) {
        String[] parts = line.split(" ", -1);
        int[] shape =
            Arrays.stream(parts[4].replaceAll("[\\[\\]]", "").split(",", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        cases.add(
            new Case(
                parts[1],
                parts[2],
                DType.valueOf(parts[3]),
                shape[0],
                shape[1],
                new LinkedHashMap<>()));
      } else if (line.startsWith("  ")) {
        String[] parts = line.strip().split(" ", 2);
        cases.get(cases.size() - 1).tensors.put(parts[0], parts[1]);
      }
    }
    return cases;
  }

  private static List<String> lines() throws IOException {
    Optional<String> folder = Optional.ofNullable(System.getenv("SHARDPRESS_REFERENCES"));
    Assumptions.assumeTrue(folder.isPresent(), "SHARDPRESS_REFERENCES is not set");
    return Files.readAllLines(Path.of(folder.get(), "golden", "compressed_tensors.txt"));
  }
}
