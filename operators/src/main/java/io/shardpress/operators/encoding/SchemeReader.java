package io.shardpress.operators.encoding;

import static io.shardpress.operators.encoding.QuantizationConfig.refused;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.operators.compression.Activations;
import io.shardpress.operators.compression.ColumnOrder;
import io.shardpress.operators.compression.Grid;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Scheme;
import java.util.Set;

/** One config group of a {@code quantization_config} as a scheme; unknown keys are refused. */
final class SchemeReader {
  private static final Set<String> GROUP_KEYS =
      Set.of("targets", "weights", "input_activations", "output_activations", "format");
  private static final Set<String> ARGS_KEYS =
      Set.of(
          "num_bits",
          "type",
          "symmetric",
          "group_size",
          "strategy",
          "block_structure",
          "dynamic",
          "actorder",
          "scale_dtype",
          "zp_dtype",
          "observer",
          "observer_kwargs");

  private SchemeReader() {}

  static Scheme read(String name, JsonNode group, String topFormat) {
    requireKeys(name, group, GROUP_KEYS);
    JsonNode args = group.path("weights");
    String where = name + ".weights";
    requireKeys(where, args, ARGS_KEYS);
    requireInteger(where, args);
    if (args.path("dynamic").asBoolean(false) || args.hasNonNull("block_structure")) {
      throw refused(where + " is dynamic or in blocks");
    }
    if (group.hasNonNull("output_activations")) {
      throw refused(name + " has output_activations");
    }
    GroupSize groupSize = groupSize(where, args);
    Scheme scheme =
        new Scheme(
            new Grid(bits(where, args), args.path("symmetric").asBoolean(true)),
            groupSize,
            groupSize.isChannel() ? ColumnOrder.NATURAL : order(where, args.path("actorder")),
            activations(name, group.path("input_activations")));
    String format = group.hasNonNull("format") ? group.path("format").asText() : topFormat;
    if (!format.equals(QuantizationConfig.format(scheme))) {
      throw refused(
          "%s has format '%s' where its scheme means '%s'"
              .formatted(name, format, QuantizationConfig.format(scheme)));
    }
    return scheme;
  }

  private static int bits(String where, JsonNode args) {
    int bits = args.path("num_bits").asInt(8);
    if (bits < 2 || bits > 8) {
      throw refused("%s has %d bits".formatted(where, bits));
    }
    return bits;
  }

  private static GroupSize groupSize(String where, JsonNode args) {
    int size = args.hasNonNull("group_size") ? args.path("group_size").asInt() : 0;
    String implied = size == 0 ? "tensor" : size > 0 ? "group" : "channel";
    String strategy = args.hasNonNull("strategy") ? args.path("strategy").asText() : implied;
    return switch (strategy) {
      case "channel" -> GroupSize.CHANNEL;
      case "group" -> {
        if (size < 1) {
          throw refused("%s is grouped by %d columns".formatted(where, size));
        }
        yield GroupSize.of(size);
      }
      default -> throw refused("%s has strategy '%s'".formatted(where, strategy));
    };
  }

  /** {@code group} was called {@code dynamic}, {@code weight} was called {@code static}. */
  private static ColumnOrder order(String where, JsonNode actorder) {
    return switch (actorder.asText("null")) {
      case "null", "false" -> ColumnOrder.NATURAL;
      case "weight", "static" -> ColumnOrder.STATIC;
      case "group", "dynamic", "true" -> ColumnOrder.GROUP;
      default -> throw refused("%s has actorder %s".formatted(where, actorder));
    };
  }

  private static Activations activations(String name, JsonNode args) {
    if (args.isMissingNode() || args.isNull()) {
      return Activations.NONE;
    }
    String where = name + ".input_activations";
    requireKeys(where, args, ARGS_KEYS);
    requireInteger(where, args);
    boolean tokens =
        args.path("num_bits").asInt(8) == 8
            && args.path("symmetric").asBoolean(true)
            && args.path("dynamic").asBoolean(false)
            && args.path("strategy").asText("").equals("token");
    if (!tokens) {
      throw refused(where + " are not symmetric int8, per token, dynamic");
    }
    return Activations.DYNAMIC_INT8;
  }

  private static void requireInteger(String where, JsonNode args) {
    String type = args.path("type").asText("int");
    if (!type.equals("int")) {
      throw refused("%s has type '%s'".formatted(where, type));
    }
  }

  private static void requireKeys(String where, JsonNode object, Set<String> known) {
    if (!object.isObject()) {
      throw refused(where + " is not an object");
    }
    object
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!known.contains(key)) {
                throw refused("%s has the unknown key '%s'".formatted(where, key));
              }
            });
  }
}
