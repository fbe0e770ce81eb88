package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.Scheme;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Writes the {@code quantization_config} of compressed-tensors, keys sorted as upstream sorts them:
 * one config group per distinct scheme, in the order of the first module name that has it.
 *
 * <p>A uniform model targets the class {@code Linear}. Otherwise every group names its modules:
 * servers that fuse linears try the class before the names of the parts, and would give all fused
 * linears the scheme of the class.
 */
final class QuantizationConfigWriter {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private QuantizationConfigWriter() {}

  static ObjectNode write(Map<String, Scheme> compressed, Set<String> uncompressed) {
    Map<Scheme, List<String>> modules = new LinkedHashMap<>();
    new TreeMap<>(compressed)
        .forEach(
            (module, scheme) ->
                modules.computeIfAbsent(scheme, unused -> new ArrayList<>()).add(module));
    ObjectNode groups = JSON.objectNode();
    Set<String> formats = new TreeSet<>();
    Map<String, Set<Scheme>> templates = schemesOfTemplates(compressed);
    int index = 0;
    for (Map.Entry<Scheme, List<String>> group : modules.entrySet()) {
      Collection<String> targets =
          modules.size() == 1 ? List.of("Linear") : targets(group.getValue(), templates);
      String format = QuantizationConfig.format(group.getKey());
      formats.add(format);
      groups.set("group_" + index++, group(targets, group.getKey(), format));
    }
    ObjectNode config = JSON.objectNode();
    config.set("config_groups", groups);
    config.put("format", formats.size() == 1 ? formats.iterator().next() : "mixed-precision");
    config.putNull("global_compression_ratio");
    config.set("ignore", strings(ignored(compressed, uncompressed)));
    config.putNull("kv_cache_scheme");
    config.put("quant_method", QuantizationConfig.METHOD);
    config.put("quantization_status", "compressed");
    config.set("sparsity_config", JSON.objectNode());
    config.set("transform_config", JSON.objectNode());
    config.put("version", QuantizationConfig.VERSION);
    return sorted(config);
  }

  private static Set<String> ignored(Map<String, Scheme> compressed, Set<String> uncompressed) {
    Set<String> ignored = new TreeSet<>(uncompressed);
    // A tied head has no tensor of its own, but runtimes still make a Linear for it.
    if (!compressed.containsKey("lm_head")) {
      ignored.add("lm_head");
    }
    return ignored;
  }

  /** Modules that differ only in numbers share a template; it stands for them if they agree. */
  private static Map<String, Set<Scheme>> schemesOfTemplates(Map<String, Scheme> compressed) {
    Map<String, Set<Scheme>> templates = new HashMap<>();
    compressed.forEach(
        (module, scheme) ->
            templates.computeIfAbsent(template(module), unused -> new HashSet<>()).add(scheme));
    return templates;
  }

  private static Collection<String> targets(
      List<String> modules, Map<String, Set<Scheme>> templates) {
    Set<String> targets = new TreeSet<>();
    for (String module : modules) {
      String template = template(module);
      targets.add(templates.get(template).size() == 1 ? template : module);
    }
    return targets;
  }

  /** {@code re:} and the name, escaped, with {@code \d+} for each number between dots. */
  private static String template(String module) {
    StringBuilder regex = new StringBuilder("re:");
    String separator = "";
    for (String part : module.split("\\.", -1)) {
      boolean number = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
      regex
          .append(separator)
          .append(number ? "\\d+" : part.replaceAll("([^A-Za-z0-9_])", "\\\\$1"));
      separator = "\\.";
    }
    return regex.append('$').toString();
  }

  private static ObjectNode group(Collection<String> targets, Scheme scheme, String format) {
    ObjectNode group = JSON.objectNode();
    group.set("targets", strings(targets));
    group.put("format", format);
    group.set("weights", weights(scheme));
    group.set(
        "input_activations",
        scheme.activations() == Activations.NONE ? JSON.nullNode() : dynamicTokens());
    group.putNull("output_activations");
    return group;
  }

  private static ObjectNode weights(Scheme scheme) {
    boolean channel = scheme.groupSize().isChannel();
    ObjectNode args = args(scheme.grid().bits(), scheme.grid().symmetric());
    if (!channel) {
      args.put("group_size", scheme.groupSize().columns());
    }
    args.put("strategy", channel ? "channel" : "group");
    args.put("dynamic", false);
    args.put("observer", "memoryless_minmax");
    switch (scheme.order()) {
      case NATURAL -> args.putNull("actorder");
      case STATIC -> args.put("actorder", "weight"); // every reader knows this alias
      case GROUP -> args.put("actorder", "group");
    }
    return args;
  }

  private static ObjectNode dynamicTokens() {
    ObjectNode args = args(8, true);
    args.put("strategy", "token");
    args.put("dynamic", true);
    args.putNull("observer");
    args.putNull("actorder");
    return args;
  }

  private static ObjectNode args(int bits, boolean symmetric) {
    ObjectNode args = JSON.objectNode();
    args.put("num_bits", bits);
    args.put("type", "int");
    args.put("symmetric", symmetric);
    args.putNull("group_size");
    args.putNull("block_structure");
    args.putNull("scale_dtype");
    args.set("zp_dtype", symmetric ? JSON.nullNode() : JSON.textNode("torch.int8"));
    args.set("observer_kwargs", JSON.objectNode());
    return args;
  }

  private static ArrayNode strings(Collection<String> values) {
    ArrayNode array = JSON.arrayNode();
    values.forEach(array::add);
    return array;
  }

  private static ObjectNode sorted(ObjectNode node) {
    Map<String, JsonNode> fields = new TreeMap<>();
    node.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
    ObjectNode result = JSON.objectNode();
    fields.forEach(
        (name, value) -> result.set(name, value instanceof ObjectNode o ? sorted(o) : value));
    return result;
  }
}
