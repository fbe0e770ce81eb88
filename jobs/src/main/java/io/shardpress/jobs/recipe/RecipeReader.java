package io.shardpress.jobs.recipe;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import io.shardpress.common.config.Hocon;
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
import java.util.stream.Collectors;

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
    for (Map.Entry<String, ConfigValue> entry : new TreeMap<>(document.root()).entrySet()) {
      if (!SECTIONS.contains(entry.getKey())) {
        throw RecordBinder.unknownKey(entry.getValue(), entry.getKey(), entry.getKey(), SECTIONS);
      }
    }
    return new Recipe(
        document.hasPath("model") ? document.getString("model") : "",
        bind(document, "calibration", CalibrationSettings.class),
        new StepReader(document).read(),
        bind(document, "output", OutputSettings.class),
        bind(document, "evaluation", EvaluationSettings.class),
        bind(document, "run", RunSettings.class),
        document.getConfig("spark").entrySet().stream()
            .collect(
                Collectors.toMap(
                    entry -> "spark." + entry.getKey(),
                    entry -> String.valueOf(entry.getValue().unwrapped()))),
        document);
  }

  private static <T extends Record> T bind(Config document, String section, Class<T> type) {
    ConfigValue value = document.getValue(section);
    if (value instanceof ConfigObject object) {
      return RecordBinder.bind(object, type, section);
    }
    throw new InputException(
        "%s: '%s' must be an object { … }."
            .formatted(io.shardpress.common.config.Origins.of(value), section));
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
