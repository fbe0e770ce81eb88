package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.operators.quantization.Activations;
import io.shardpress.operators.quantization.ColumnOrder;
import io.shardpress.operators.quantization.Grid;
import io.shardpress.operators.quantization.GroupSize;
import io.shardpress.operators.quantization.Scheme;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * {@code quantization_config} of a compressed-tensors checkpoint: which modules carry codes, and
 * how to read them.
 *
 * @param groups schemes by what they target, in the order of the file
 */
public record QuantizationConfig(List<Group> groups, ModuleMatcher ignore) {
  private static final String LINEAR = "Linear";

  /** The first release that lets codes straddle words, as they do here. */
  private static final String VERSION = "0.18.0";

  /** Modules and their scheme. */
  public record Group(ModuleMatcher targets, Scheme scheme) {}

  public QuantizationConfig {
    groups = List.copyOf(groups);
  }

  /** The scheme of a module, empty when it is not compressed. */
  public Optional<Scheme> schemeOf(String module) {
    if (ignore.matches(module, LINEAR)) {
      return Optional.empty();
    }
    List<String> all =
        groups.stream().flatMap(group -> group.targets().patterns().stream()).toList();
    // One matcher over all patterns knows which of them decides.
    return new ModuleMatcher(all)
        .match(module, LINEAR)
        .flatMap(
            pattern ->
                groups.stream()
                    .filter(group -> group.targets().patterns().contains(pattern))
                    .findFirst()
                    .map(Group::scheme));
  }

  /** Reads a {@code quantization_config}; other methods and schemes than ours are refused. */
  public static QuantizationConfig read(ObjectNode config) {
    String method = config.path("quant_method").asText();
    if (!method.equals("compressed-tensors")) {
      throw new InputException(
          "The checkpoint is compressed as '%s'; Shardpress reads compressed-tensors. Use the dense original."
              .formatted(method));
    }
    List<Group> groups = new ArrayList<>();
    config
        .path("config_groups")
        .forEach(
            group ->
                groups.add(
                    new Group(new ModuleMatcher(texts(group.path("targets"))), scheme(group))));
    return new QuantizationConfig(groups, new ModuleMatcher(texts(config.path("ignore"))));
  }

  private static Scheme scheme(JsonNode group) {
    JsonNode weights = group.path("weights");
    String strategy = weights.path("strategy").asText();
    boolean channel = strategy.equals("channel");
    if (!weights.path("type").asText().equals("int") || !(channel || strategy.equals("group"))) {
      throw new InputException(
          "A weight scheme of type '%s' and strategy '%s' cannot be read: only int weights per group or channel are. Use the dense original."
              .formatted(weights.path("type").asText(), strategy));
    }
    GroupSize size =
        channel ? GroupSize.CHANNEL : new GroupSize(weights.path("group_size").asInt());
    JsonNode order = weights.path("actorder");
    ColumnOrder columns = ColumnOrder.NATURAL;
    if (!channel && order.isTextual()) {
      columns =
          List.of("group", "dynamic").contains(order.asText())
              ? ColumnOrder.GROUP
              : ColumnOrder.STATIC;
    }
    return new Scheme(
        new Grid(weights.path("num_bits").asInt(), weights.path("symmetric").asBoolean(true)),
        size,
        columns,
        group.path("input_activations").isObject() ? Activations.DYNAMIC_INT8 : Activations.NONE);
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /**
   * The configuration of a checkpoint with these schemes. The most frequent scheme targets the
   * class {@code Linear}, the others their modules by name, which readers try first.
   */
  static ObjectNode write(Map<String, Scheme> schemes, Set<String> uncompressed) {
    Map<Scheme, List<String>> modules = new LinkedHashMap<>();
    new TreeMap<>(schemes)
        .forEach(
            (module, scheme) ->
                modules.computeIfAbsent(scheme, unused -> new ArrayList<>()).add(module));
    List<Map.Entry<Scheme, List<String>>> ordered = new ArrayList<>(modules.entrySet());
    ordered.sort(
        Comparator.comparingInt((Map.Entry<Scheme, List<String>> e) -> -e.getValue().size())
            .thenComparing(e -> e.getValue().get(0)));
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.putObject("config_groups");
    Set<String> formats = new TreeSet<>();
    for (int i = 0; i < ordered.size(); i++) {
      Scheme scheme = ordered.get(i).getKey();
      List<String> targets = i == 0 ? List.of(LINEAR) : ordered.get(i).getValue();
      ((ObjectNode) config.get("config_groups")).set("group_" + i, group(scheme, targets));
      formats.add(format(scheme));
    }
    config.put("format", formats.size() == 1 ? formats.iterator().next() : "mixed-precision");
    config.putNull("global_compression_ratio");
    Set<String> ignored = new TreeSet<>(uncompressed);
    // A tied head has no tensor of its own, but runtimes still make a Linear for it.
    if (!schemes.containsKey("lm_head")) {
      ignored.add("lm_head");
    }
    ArrayNode ignore = config.putArray("ignore");
    ignored.forEach(ignore::add);
    config.putNull("kv_cache_scheme");
    config.put("quant_method", "compressed-tensors");
    config.put("quantization_status", "compressed");
    config.putObject("sparsity_config");
    config.putObject("transform_config");
    config.put("version", VERSION);
    return config;
  }

  private static String format(Scheme scheme) {
    return CompressedTensors.isPacked(scheme) ? "pack-quantized" : "int-quantized";
  }

  private static ObjectNode group(Scheme scheme, List<String> targets) {
    ObjectNode group = JsonNodeFactory.instance.objectNode();
    group.put("format", format(scheme));
    if (scheme.activations() == Activations.NONE) {
      group.putNull("input_activations");
    } else {
      ObjectNode activations = arguments(8, true);
      activations.put("dynamic", true);
      activations.put("strategy", "token");
      group.set("input_activations", activations);
    }
    group.putNull("output_activations");
    ArrayNode names = group.putArray("targets");
    targets.forEach(names::add);
    ObjectNode weights = arguments(scheme.grid().bits(), scheme.grid().symmetric());
    boolean channel = scheme.groupSize().isChannel();
    if (!channel) {
      weights.put("group_size", scheme.groupSize().columns());
    }
    weights.put("strategy", channel ? "channel" : "group");
    switch (scheme.order()) {
      case STATIC -> weights.put("actorder", "static");
      case GROUP -> weights.put("actorder", "group");
      case NATURAL -> {}
    }
    group.set("weights", weights);
    return group;
  }

  /** Every key that the format knows, with its default: readers forbid others. */
  private static ObjectNode arguments(int bits, boolean symmetric) {
    ObjectNode arguments = JsonNodeFactory.instance.objectNode();
    arguments.putNull("actorder");
    arguments.putNull("block_structure");
    arguments.put("dynamic", false);
    arguments.putNull("group_size");
    arguments.put("num_bits", bits);
    arguments.put("observer", "memoryless_minmax");
    arguments.putObject("observer_kwargs");
    arguments.putNull("scale_dtype");
    arguments.putNull("strategy");
    arguments.put("symmetric", symmetric);
    arguments.put("type", "int");
    arguments.putNull("zp_dtype");
    return arguments;
  }
}
