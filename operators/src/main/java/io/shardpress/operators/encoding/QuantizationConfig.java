package io.shardpress.operators.encoding;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.operators.compression.Scheme;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code quantization_config} of compressed-tensors as read from a model: which linear has which
 * scheme. Exact names decide before regexes, regexes (in lexicographic order) before classes.
 */
public final class QuantizationConfig {
  static final String METHOD = "compressed-tensors";
  static final String VERSION = "0.18.0";
  static final String PACK_QUANTIZED = "pack-quantized";
  static final String INT_QUANTIZED = "int-quantized";
  private static final String LINEAR = "Linear";

  private final ModuleMatcher ignore;
  private final ModuleMatcher targets;
  private final Map<String, Scheme> schemes;

  private QuantizationConfig(
      ModuleMatcher ignore, ModuleMatcher targets, Map<String, Scheme> schemes) {
    this.ignore = ignore;
    this.targets = targets;
    this.schemes = schemes;
  }

  /**
   * Reads the value of {@code quantization_config}.
   *
   * @throws InputException for another method, and for schemes, formats or extras that are not
   *     integer weights of 2 to 8 bits
   */
  public static QuantizationConfig read(ObjectNode json) {
    String method = json.path("quant_method").asText("");
    if (!method.equals(METHOD)) {
      throw refused("quant_method is '%s', not '%s'".formatted(method, METHOD));
    }
    for (String extra : List.of("kv_cache_scheme", "sparsity_config", "transform_config")) {
      JsonNode value = json.path(extra);
      boolean empty =
          value.isMissingNode() || value.isNull() || (value.isObject() && value.isEmpty());
      if (!empty) {
        throw refused("it has a " + extra);
      }
    }
    JsonNode groups = json.path("config_groups");
    if (!(groups instanceof ObjectNode) || groups.isEmpty()) {
      throw refused("it has no config_groups");
    }
    String topFormat = json.path("format").asText("");
    Map<String, Scheme> schemes = new LinkedHashMap<>();
    groups
        .properties()
        .forEach(
            group -> {
              Scheme scheme = SchemeReader.read(group.getKey(), group.getValue(), topFormat);
              requireReadablePacking(group.getKey(), scheme, json.path("version").asText(""));
              for (String target : strings(group.getValue().path("targets"), "targets")) {
                if (schemes.put(target, scheme) != null) {
                  throw refused("two config_groups target '%s'".formatted(target));
                }
              }
            });
    return new QuantizationConfig(
        new ModuleMatcher(strings(json.path("ignore"), "ignore")),
        new ModuleMatcher(List.copyOf(schemes.keySet())),
        schemes);
  }

  /** The scheme of a linear; empty when it is ignored or no group targets it. */
  public Optional<Scheme> schemeOf(String module) {
    if (ignore.matches(module, LINEAR)) {
      return Optional.empty();
    }
    return targets.match(module, LINEAR).map(schemes::get);
  }

  /** The format that compressed-tensors infers for a scheme. */
  static String format(Scheme scheme) {
    return CompressedTensors.isPacked(scheme) ? PACK_QUANTIZED : INT_QUANTIZED;
  }

  /** Before 0.17, widths that do not divide 32 were packed another way. */
  private static void requireReadablePacking(String group, Scheme scheme, String version) {
    if (!CompressedTensors.isPacked(scheme) || 32 % scheme.grid().bits() == 0) {
      return;
    }
    String[] parts = version.split("\\.", 3);
    try {
      int major = Integer.parseInt(parts[0]);
      int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
      if (major > 0 || minor >= 17) {
        return;
      }
    } catch (NumberFormatException e) {
      throw refused("version '%s' is not of the form 0.18.0".formatted(version), e);
    }
    throw refused(
        "%s holds %d-bit weights of version %s; their packing changed in 0.17.0"
            .formatted(group, scheme.grid().bits(), version));
  }

  private static List<String> strings(JsonNode array, String what) {
    List<String> values = new ArrayList<>();
    if (!array.isMissingNode() && !array.isArray()) {
      throw refused(what + " is not a list");
    }
    for (JsonNode value : array) {
      if (!value.isTextual()) {
        throw refused("%s holds %s, not a string".formatted(what, value));
      }
      values.add(value.textValue());
    }
    return values;
  }

  static InputException refused(String why) {
    return refused(why, null);
  }

  private static InputException refused(String why, Exception cause) {
    return new InputException(
        "Cannot read this quantization_config: %s. Shardpress reads compressed-tensors with integer weights, pack-quantized or int-quantized; start from the dense checkpoint instead."
            .formatted(why),
        cause);
  }
}
