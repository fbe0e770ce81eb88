package io.shardpress.jobs.resume;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Versions;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * All that a run's weights depend on, field by field: work of an earlier attempt is used only where
 * every field is the same.
 *
 * @param fields values by name, e.g. {@code steps.0.gptq.damping}
 */
public record RunIdentity(SortedMap<String, String> fields) {
  private static final String FORMAT = "shardpress-work/1";

  /**
   * Parts of a recipe that published weights depend on. Where the data and the model lie is not
   * among them: what counts is their content.
   */
  private static final List<String> SECTIONS =
      List.of("calibration", "steps", "defaults", "presets", "output");

  private static final List<String> PLACES =
      List.of(
          "calibration.data", "calibration.statistics", "calibration.scratch-size", "output.uri");

  public RunIdentity {
    fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
  }

  /**
   * The identity of a run of this code.
   *
   * @param modelDigest over all bytes of the model
   * @param dataAddress of the calibration data and how it is cut; empty where none is needed
   */
  public static RunIdentity of(Recipe recipe, String modelDigest, Optional<String> dataAddress) {
    SortedMap<String, String> fields = new TreeMap<>();
    fields.put("format", FORMAT);
    fields.put("code revision", Versions.revision());
    fields.put("model", modelDigest);
    dataAddress.ifPresent(address -> fields.put("calibration data", address));
    fields.put("run.kernels", recipe.run().kernels().text());
    for (String section : SECTIONS) {
      Config tree = recipe.resolved().withOnlyPath(section);
      for (Map.Entry<String, ConfigValue> entry : tree.entrySet()) {
        if (!PLACES.contains(entry.getKey())) {
          flatten(entry.getKey(), entry.getValue(), fields);
        }
      }
    }
    return new RunIdentity(fields);
  }

  /** Lists by index, so that a difference names the one setting that differs. */
  private static void flatten(String path, ConfigValue value, Map<String, String> into) {
    if (value instanceof Map<?, ?> object) {
      object.forEach((key, child) -> flatten(path + "." + key, (ConfigValue) child, into));
    } else if (value instanceof List<?> list && !list.isEmpty()) {
      for (int i = 0; i < list.size(); i++) {
        flatten(path + "." + i, (ConfigValue) list.get(i), into);
      }
    } else {
      into.put(path, value.render(ConfigRenderOptions.concise()));
    }
  }

  /**
   * A field in which two runs differ.
   *
   * @param was its value there; empty where there was none
   * @param is its value here; empty where there is none
   */
  public record Difference(String field, String was, String is) {
    @Override
    public String toString() {
      return "%s was %s and is %s".formatted(field, shown(was), shown(is));
    }

    private static String shown(String value) {
      return value.isEmpty() ? "absent" : value;
    }
  }

  /** The first field, by name, in which the run that left {@code earlier} differs from this one. */
  public Optional<Difference> differenceFrom(RunIdentity earlier) {
    SortedSet<String> names = new TreeSet<>(fields.keySet());
    names.addAll(earlier.fields.keySet());
    return names.stream()
        .filter(name -> !value(name).equals(earlier.value(name)))
        .findFirst()
        .map(name -> new Difference(name, earlier.value(name), value(name)));
  }

  private String value(String name) {
    return fields.getOrDefault(name, "");
  }

  ObjectNode json() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    fields.forEach(json::put);
    return json;
  }

  static RunIdentity parse(ObjectNode json) {
    SortedMap<String, String> fields = new TreeMap<>();
    for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      fields.put(name, json.get(name).asText());
    }
    return new RunIdentity(fields);
  }
}
