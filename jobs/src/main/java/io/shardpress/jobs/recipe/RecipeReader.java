package io.shardpress.jobs.recipe;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.shardpress.common.config.Hocon;
import io.shardpress.common.config.Origins;
import io.shardpress.common.config.RecordBinder;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads recipes: the file over {@code reference.conf}, the command line's assignments over both.
 * Unknown keys, wrong types and values out of range are errors that name file and line.
 */
public final class RecipeReader {
  private static final String REFERENCE = "/shardpress/reference.conf";
  private static final List<String> SECTIONS =
      List.of(
          "model",
          "calibration",
          "steps",
          "output",
          "evaluation",
          "run",
          "spark",
          "defaults",
          "presets");

  private RecipeReader() {}

  /** Reads the recipe in {@code file}, with {@code --set} assignments made. */
  public static Recipe read(Store store, Location file, List<String> assignments) {
    return build(Hocon.read(store, file), assignments);
  }

  /** A recipe of defaults and assignments only, for commands that need no file. */
  public static Recipe ofAssignments(List<String> assignments) {
    return build(Hocon.parse("", "no recipe"), assignments);
  }

  private static Recipe build(Config recipe, List<String> assignments) {
    Config merged = Hocon.resolve(recipe.withFallback(reference()));
    Config document = Assignments.apply(merged, assignments);
    RecordBinder.refuseUnknownKeys(document.root(), SECTIONS, "");
    return new Recipe(
        model(document),
        bind(document, "calibration", CalibrationSettings.class),
        new StepReader(document).read(),
        bind(document, "output", OutputSettings.class),
        bind(document, "evaluation", EvaluationSettings.class),
        bind(document, "run", RunSettings.class),
        sparkSettings(section(document, "spark")),
        document);
  }

  private static String model(Config document) {
    ConfigValue value = document.root().get("model");
    if (value == null || value.valueType() == ConfigValueType.NULL) {
      return "";
    }
    if (value instanceof ConfigObject || value instanceof ConfigList) {
      throw new InputException(
          "%s: 'model' must be the location of one checkpoint, such as \"s3a://models/llama\"."
              .formatted(Origins.of(value)));
    }
    return String.valueOf(value.unwrapped());
  }

  private static Map<String, String> sparkSettings(ConfigObject section) {
    Map<String, String> settings = new TreeMap<>();
    for (Map.Entry<String, ConfigValue> entry : section.toConfig().entrySet()) {
      // A path may have quoted parts, as in spark.locality { wait = 0s, "wait.node" = 1s }.
      String key = "spark." + String.join(".", ConfigUtil.splitPath(entry.getKey()));
      if (entry.getValue() instanceof ConfigList) {
        throw new InputException(
            "%s: '%s' must be one value, as spark-submit takes it, not a list."
                .formatted(Origins.of(entry.getValue()), key));
      }
      String value = String.valueOf(entry.getValue().unwrapped());
      SparkKeys.check(Origins.of(entry.getValue()), key, value);
      settings.put(key, value);
    }
    return settings;
  }

  private static <T extends Record> T bind(Config document, String section, Class<T> type) {
    return RecordBinder.bind(section(document, section), type, section);
  }

  /** A section of the document, all of which {@code reference.conf} has. */
  static ConfigObject section(Config document, String name) {
    ConfigValue value = document.root().get(name);
    if (value instanceof ConfigObject object) {
      return object;
    }
    throw new InputException(
        "%s: '%s' must be an object { … }.".formatted(Origins.of(value), name));
  }

  private static Config reference() {
    try (InputStream in = RecipeReader.class.getResourceAsStream(REFERENCE)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks " + REFERENCE);
      }
      return Hocon.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), "reference.conf");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
