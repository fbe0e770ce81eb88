package io.shardpress.jobs.statistics;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.run.Versions;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.model.Precision;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * All that statistics depend on besides the input that they are of.
 *
 * @param fields values by name
 */
public record CalibrationKey(SortedMap<String, String> fields) {
  private static final String FORMAT = "shardpress-statistics/1";
  private static final String APPLIED = "applied before";

  public CalibrationKey {
    fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
  }

  /**
   * The key of statistics of a dense model.
   *
   * @param modelDigest over all bytes of the model
   * @param tokensDigest over the token ids, their cut into sequences and the borders of chunks
   */
  public static CalibrationKey of(
      String modelDigest, String tokensDigest, Precision precision, ExpertPolicy experts) {
    return new CalibrationKey(
        new TreeMap<>(
            Map.of(
                "format",
                FORMAT,
                "code revision",
                Versions.revision(),
                "model",
                modelDigest,
                "tokens",
                tokensDigest,
                "precision",
                precision.name(),
                "experts",
                experts.toString(),
                APPLIED,
                "nothing")));
  }

  /**
   * The key where the blocks before were changed.
   *
   * @param digest of what they were changed to
   */
  public CalibrationKey behind(String digest) {
    SortedMap<String, String> changed = new TreeMap<>(fields);
    changed.put(APPLIED, digest);
    return new CalibrationKey(changed);
  }

  /** The key of moments alone, without Grams. */
  public CalibrationKey moments() {
    SortedMap<String, String> changed = new TreeMap<>(fields);
    changed.put("sums", "moments");
    return new CalibrationKey(changed);
  }

  /** The name under which the statistics are kept: equal keys, and only they, have equal names. */
  public String address() {
    return Sha256.of(json().toString());
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    fields.forEach(json::put);
    return json;
  }

  static CalibrationKey parse(ObjectNode json) {
    SortedMap<String, String> fields = new TreeMap<>();
    json.fieldNames().forEachRemaining(name -> fields.put(name, json.get(name).asText()));
    return new CalibrationKey(fields);
  }
}
