package io.shardpress.common.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.Printable;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A model's {@code config.json}, or an object within it, read by type. A key that is null counts as
 * absent. An absent key without a default, or a value of another type, is a {@link
 * CheckpointFormatException} naming both.
 *
 * @param source the document, and the place within it, for messages
 */
public record ModelConfig(String source, ObjectNode json) {
  public ModelConfig {
    json = json.deepCopy();
  }

  /** A configuration at hand. */
  public ModelConfig(ObjectNode json) {
    this("config.json", json);
  }

  /** Parses the document; {@code source} names it in messages. */
  public static ModelConfig parse(String source, byte[] utf8) {
    return new ModelConfig(source, StrictJson.parseObject(source, utf8));
  }

  /** A copy of the whole object. */
  @Override
  public ObjectNode json() {
    return json.deepCopy();
  }

  /** Whether the key is there, be it with null. */
  public boolean has(String key) {
    return json.has(key);
  }

  public String modelType() {
    return text("model_type");
  }

  public String text(String key) {
    return optionalText(key).orElseThrow(() -> missing(key));
  }

  public String text(String key, String absent) {
    return optionalText(key).orElse(absent);
  }

  public Optional<String> optionalText(String key) {
    return value(
        key,
        "a string of at most 200 printable characters",
        ModelConfig::isText,
        JsonNode::textValue);
  }

  public int integer(String key) {
    return optionalInteger(key).orElseThrow(() -> missing(key));
  }

  public int integer(String key, int absent) {
    return optionalInteger(key).orElse(absent);
  }

  public OptionalInt optionalInteger(String key) {
    Optional<Integer> value =
        value(key, "a whole number", ModelConfig::isInteger, JsonNode::intValue);
    return value.map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }

  public double number(String key, double absent) {
    return optionalNumber(key).orElse(absent);
  }

  public OptionalDouble optionalNumber(String key) {
    Optional<Double> value =
        value(key, "a finite number", ModelConfig::isFinite, JsonNode::doubleValue);
    return value.map(OptionalDouble::of).orElseGet(OptionalDouble::empty);
  }

  public boolean flag(String key, boolean absent) {
    return value(key, "true or false", JsonNode::isBoolean, JsonNode::booleanValue).orElse(absent);
  }

  /** A list of strings; empty when absent. */
  public List<String> texts(String key) {
    return list(key, "strings", ModelConfig::isText, JsonNode::textValue);
  }

  /** A list of whole numbers; empty when absent. */
  public List<Integer> integers(String key) {
    return list(key, "whole numbers", ModelConfig::isInteger, JsonNode::intValue);
  }

  /** A list of finite numbers; empty when absent. */
  public List<Double> numbers(String key) {
    return list(key, "finite numbers", ModelConfig::isFinite, JsonNode::doubleValue);
  }

  /** An object within this one, such as {@code text_config}. */
  public Optional<ModelConfig> child(String key) {
    return value(key, "an object", JsonNode::isObject, node -> (ObjectNode) node)
        .map(node -> new ModelConfig(source + " " + key, node));
  }

  /** What says that the weights are compressed already. */
  public Optional<ModelConfig> quantization() {
    return child("quantization_config");
  }

  /** The type weights are meant to have; F32 where none is given, as transformers has it. */
  public DType weightType() {
    String key = optionalText("dtype").isPresent() ? "dtype" : "torch_dtype";
    String name = text(key, "float32");
    return switch (name.startsWith("torch.") ? name.substring("torch.".length()) : name) {
      case "float32" -> DType.F32;
      case "float16" -> DType.F16;
      case "bfloat16" -> DType.BF16;
      case "float64" -> DType.F64;
      default -> throw wrong(key, json.get(key), "float32, float16, bfloat16 or float64");
    };
  }

  /** Settings of the rotary embedding, of either generation of keys; empty if there are none. */
  public ModelConfig rope() {
    return child("rope_parameters")
        .or(() -> child("rope_scaling"))
        .orElseGet(() -> new ModelConfig(source, JsonNodeFactory.instance.objectNode()));
  }

  /** Base of the rotary embedding. */
  public OptionalDouble ropeTheta() {
    OptionalDouble nested = rope().optionalNumber("rope_theta");
    return nested.isPresent() ? nested : optionalNumber("rope_theta");
  }

  private <T> List<T> list(
      String key, String elements, Predicate<JsonNode> isElement, Function<JsonNode, T> read) {
    Optional<JsonNode> array = value(key, "a list of " + elements, JsonNode::isArray, node -> node);
    List<T> values = new ArrayList<>();
    for (JsonNode element : array.orElseGet(JsonNodeFactory.instance::arrayNode)) {
      if (!isElement.test(element)) {
        throw wrong(key, element, elements + " only");
      }
      values.add(read.apply(element));
    }
    return List.copyOf(values);
  }

  private <T> Optional<T> value(
      String key, String wanted, Predicate<JsonNode> isWanted, Function<JsonNode, T> read) {
    JsonNode node = json.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    if (!isWanted.test(node)) {
      throw wrong(key, node, wanted);
    }
    return Optional.of(read.apply(node));
  }

  /** Names of things, which messages repeat. */
  private static boolean isText(JsonNode node) {
    return node.isTextual() && Printable.isPrintable(node.textValue());
  }

  private static boolean isInteger(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToInt();
  }

  private static boolean isFinite(JsonNode node) {
    return node.isNumber() && Double.isFinite(node.doubleValue());
  }

  private CheckpointFormatException missing(String key) {
    return new CheckpointFormatException(
        Code.INVALID_CONFIG,
        "%s lacks '%s', which this model needs. Download the model again, or add the key."
            .formatted(source, key));
  }

  private CheckpointFormatException wrong(String key, JsonNode found, String wanted) {
    return new CheckpointFormatException(
        Code.INVALID_CONFIG,
        "%s: %s holds %s, but must be %s. Correct it, or download the model again."
            .formatted(source, Printable.quoted(key), Printable.excerpt(found.toString()), wanted));
  }
}
