package io.shardpress.common.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.Printable;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.SafeFileName;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * {@code model.safetensors.index.json}: which file holds which tensor. File names are safe ({@link
 * SafeFileName}) and of safetensors files.
 *
 * @param weightMap file name by tensor name, in the order of the document
 * @param totalSize bytes of all tensors as declared; often wrong in the wild
 */
public record ShardIndex(Map<String, String> weightMap, OptionalLong totalSize) {
  public ShardIndex {
    weightMap = Collections.unmodifiableMap(new LinkedHashMap<>(weightMap));
  }

  /** Parses the document; {@code source} names it in messages. */
  public static ShardIndex parse(String source, byte[] json) {
    ObjectNode root;
    try {
      root = StrictJson.parseObject(source, json);
    } catch (InputException e) {
      throw new CheckpointFormatException(Code.INVALID_INDEX, e.getMessage());
    }
    if (!(root.get("weight_map") instanceof ObjectNode files) || files.isEmpty()) {
      throw invalid(source, "'weight_map' must be an object that names the file of each tensor");
    }
    Map<String, String> weightMap = new LinkedHashMap<>();
    files
        .properties()
        .forEach(entry -> weightMap.put(entry.getKey(), file(source, entry.getValue())));
    return new ShardIndex(weightMap, totalSize(source, root.path("metadata").path("total_size")));
  }

  /** The shards, sorted by name. */
  public SortedSet<String> files() {
    return new TreeSet<>(weightMap.values());
  }

  private static String file(String source, JsonNode name) {
    if (!name.isTextual()) {
      throw invalid(
          source,
          "'weight_map' holds %s where a file name is needed"
              .formatted(Printable.excerpt(name.toString())));
    }
    String file = SafeFileName.check(source, name.textValue());
    if (FileKinds.isForeignWeights(file)) {
      throw FileKinds.refusal(source + " names " + file);
    }
    if (!FileKinds.isSafetensors(file)) {
      throw invalid(source, "'weight_map' names " + file + ", which is no safetensors file");
    }
    return file;
  }

  /** Some writers have a decimal point. */
  private static OptionalLong totalSize(String source, JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return OptionalLong.empty();
    }
    if (!value.isNumber()) {
      throw invalid(
          source,
          "'total_size' is %s, which is not a number"
              .formatted(Printable.excerpt(value.toString())));
    }
    return OptionalLong.of(value.longValue());
  }

  private static CheckpointFormatException invalid(String source, String problem) {
    return new CheckpointFormatException(
        Code.INVALID_INDEX, source + ": " + problem + ". Download or convert the model again.");
  }
}
