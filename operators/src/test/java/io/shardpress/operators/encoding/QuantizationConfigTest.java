package io.shardpress.operators.encoding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.Grid;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Scheme;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class QuantizationConfigTest {
  private static final Scheme W4 =
      new Scheme(new Grid(4, true), GroupSize.of(128), ColumnOrder.STATIC, Activations.NONE);
  private static final Scheme W8A8 =
      new Scheme(
          new Grid(8, true), GroupSize.CHANNEL, ColumnOrder.NATURAL, Activations.DYNAMIC_INT8);
  private static final Scheme W3 =
      new Scheme(new Grid(3, false), GroupSize.of(32), ColumnOrder.GROUP, Activations.NONE);

  @Test
  void aUniformModelTargetsAllLinears() {
    ObjectNode config =
        QuantizationConfigWriter.write(
            Map.of("layers.0.a", W4, "layers.1.a", W4), Set.of("layers.0.gate"));
    assertThat(config.at("/config_groups/group_0/targets").toString()).isEqualTo("[\"Linear\"]");
    assertThat(config.at("/config_groups/group_0/weights/actorder").asText()).isEqualTo("weight");
    assertThat(config.get("ignore").toString()).isEqualTo("[\"layers.0.gate\",\"lm_head\"]");
    assertThat(config.get("format").asText()).isEqualTo("pack-quantized");
    List<String> keys = new ArrayList<>();
    config.fieldNames().forEachRemaining(keys::add);
    assertThat(keys).isSorted();
  }

  @Test
  void everyModuleOfAMixedModelKeepsItsScheme() {
    Map<String, Scheme> schemes = new LinkedHashMap<>();
    for (int layer = 0; layer < 12; layer++) {
      schemes.put("model.layers.%d.q_proj".formatted(layer), W4);
      schemes.put("model.layers.%d.down_proj".formatted(layer), layer < 2 ? W8A8 : W4);
      schemes.put("model.layers.%d.experts.3.w1".formatted(layer), W3);
    }
    ObjectNode config =
        QuantizationConfigWriter.write(schemes, Set.of("lm_head", "model.layers.0.gate"));
    assertThat(config.get("format").asText()).isEqualTo("mixed-precision");
    assertThat(config.get("config_groups")).hasSize(3);
    assertThat(config.toString())
        .contains("re:model\\\\.layers\\\\.\\\\d+\\\\.q_proj$")
        .contains("\"model.layers.11.down_proj\"")
        .doesNotContain("\"Linear\"");
    QuantizationConfig read = QuantizationConfig.read(config);
    schemes.forEach(
        (module, scheme) -> assertThat(read.schemeOf(module)).as(module).contains(scheme));
    assertThat(read.schemeOf("lm_head")).isEmpty();
    assertThat(read.schemeOf("model.layers.0.gate")).isEmpty();
    assertThat(read.schemeOf("model.layers.0.q_proj_extra")).isEmpty();
  }

  @Test
  void exactNamesDecideBeforeRegexesAndClasses() {
    ObjectNode config = QuantizationConfigWriter.write(Map.of("a", W4), Set.of());
    ObjectNode groups = (ObjectNode) config.get("config_groups");
    for (Map.Entry<String, Integer> target : Map.of("re:.*down", 8, "x.down", 2).entrySet()) {
      ObjectNode group = groups.get("group_0").deepCopy();
      group.putArray("targets").add(target.getKey());
      ((ObjectNode) group.get("weights")).put("num_bits", target.getValue());
      groups.set("group_" + target.getKey(), group);
    }
    QuantizationConfig read = QuantizationConfig.read(config);
    assertThat(read.schemeOf("x.down").orElseThrow().grid().bits()).isEqualTo(2);
    assertThat(read.schemeOf("y.down").orElseThrow().grid().bits()).isEqualTo(8);
    assertThat(read.schemeOf("y.up").orElseThrow().grid().bits()).isEqualTo(4);
  }

  static Stream<Arguments> unreadable() {
    return Stream.of(
        edit("quant_method is 'gptq'", config -> config.put("quant_method", "gptq")),
        edit("kv_cache_scheme", config -> config.putObject("kv_cache_scheme").put("num_bits", 8)),
        edit("sparsity_config", config -> config.putObject("sparsity_config").put("format", "x")),
        edit("no config_groups", config -> config.remove("config_groups")),
        edit("type 'float'", config -> weights(config).put("type", "float")),
        edit("strategy 'tensor'", config -> weights(config).put("strategy", "tensor")),
        edit("has 1 bits", config -> weights(config).put("num_bits", 1)),
        edit("dynamic", config -> weights(config).put("dynamic", true)),
        edit("actorder", config -> weights(config).put("actorder", "random")),
        edit("unknown key 'rank'", config -> weights(config).put("rank", 1)),
        edit("grouped by -1", config -> weights(config).put("group_size", -1)),
        edit("output_activations", config -> group(config).putObject("output_activations")),
        edit(
            "per token", config -> group(config).putObject("input_activations").put("num_bits", 4)),
        edit("format 'dense'", config -> group(config).put("format", "dense")),
        edit(
            "changed in 0.17.0",
            config -> {
              weights(config).put("num_bits", 3);
              config.put("version", "0.16.4");
            }));
  }

  @ParameterizedTest
  @MethodSource("unreadable")
  void whatCannotBeReadIsRefused(String message, Consumer<ObjectNode> edit) {
    ObjectNode config = QuantizationConfigWriter.write(Map.of("a", W4), Set.of());
    QuantizationConfig.read(config);
    edit.accept(config);
    assertThatThrownBy(() -> QuantizationConfig.read(config))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("Cannot read this quantization_config")
        .hasMessageContaining(message);
  }

  @Test
  void olderFilesOfWholeWordsAreRead() {
    ObjectNode config = QuantizationConfigWriter.write(Map.of("a", W4), Set.of());
    config.put("version", "0.9.1");
    weights(config).put("actorder", "static").remove(List.of("zp_dtype", "scale_dtype"));
    assertThat(QuantizationConfig.read(config).schemeOf("a")).contains(W4);
  }

  private static Arguments edit(String message, Consumer<ObjectNode> edit) {
    return Arguments.of(message, edit);
  }

  private static ObjectNode group(ObjectNode config) {
    return (ObjectNode) config.at("/config_groups/group_0");
  }

  private static ObjectNode weights(ObjectNode config) {
    return (ObjectNode) group(config).get("weights");
  }
}
