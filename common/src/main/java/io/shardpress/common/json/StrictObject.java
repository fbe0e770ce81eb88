package io.shardpress.common.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import java.util.ArrayList;
import java.util.List;

/**
 * An object of a document that Shardpress wrote, read by type: what is missing, of another type or
 * out of range is an {@link InputException} that names the document and the key, never a guess.
 *
 * @param source the document, and the place within it, for messages
 */
public record StrictObject(String source, ObjectNode json) {

  /** Parses a document that must be one object. */
  public static StrictObject parse(String source, byte[] utf8) {
    return new StrictObject(source, StrictJson.parseObject(source, utf8));
  }

  public String text(String key) {
    JsonNode value = json.path(key);
    if (!value.isTextual()) {
      throw wrong(key, value, "a string");
    }
    return value.textValue();
  }

  /** A whole number from {@code least} to {@code most}. */
  public long number(String key, long least, long most) {
    return number(key, json.path(key), least, most);
  }

  /** A whole number from {@code least} on. */
  public int integer(String key, int least) {
    return (int) number(key, least, Integer.MAX_VALUE);
  }

  /** A list of whole numbers from {@code least} on. */
  public List<Integer> integers(String key, int least) {
    List<Integer> values = new ArrayList<>();
    for (JsonNode element : array(key)) {
      values.add((int) number(key, element, least, Integer.MAX_VALUE));
    }
    return values;
  }

  /** A SHA-256 in lower-case hexadecimal. */
  public String sha256(String key) {
    String value = text(key);
    if (!value.matches("[0-9a-f]{64}")) {
      throw wrong(key, json.path(key), "a SHA-256 in hexadecimal");
    }
    return value;
  }

  /** A list of objects. */
  public List<StrictObject> objects(String key) {
    List<StrictObject> objects = new ArrayList<>();
    for (JsonNode element : array(key)) {
      if (!(element instanceof ObjectNode object)) {
        throw wrong(key, element, "objects only");
      }
      objects.add(new StrictObject("%s %s[%d]".formatted(source, key, objects.size()), object));
    }
    return objects;
  }

  private ArrayNode array(String key) {
    if (json.path(key) instanceof ArrayNode array) {
      return array;
    }
    throw wrong(key, json.path(key), "a list");
  }

  private long number(String key, JsonNode value, long least, long most) {
    boolean whole = value.isIntegralNumber() && value.canConvertToLong();
    if (!whole || value.longValue() < least || value.longValue() > most) {
      throw wrong(key, value, "a whole number from %d to %d".formatted(least, most));
    }
    return value.longValue();
  }

  private InputException wrong(String key, JsonNode found, String wanted) {
    return new InputException(
        "%s: '%s' %s, but must be %s. The file was changed or damaged: make it again."
            .formatted(
                source,
                key,
                found.isMissingNode()
                    ? "is missing"
                    : "holds " + Printable.excerpt(found.toString()),
                wanted));
  }
}
