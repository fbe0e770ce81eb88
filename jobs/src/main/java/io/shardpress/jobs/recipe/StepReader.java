package io.shardpress.jobs.recipe;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.shardpress.common.config.KeyNames;
import io.shardpress.common.config.Origins;
import io.shardpress.common.config.RecordBinder;
import io.shardpress.common.error.InputException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.operators.compression.Algorithm;
import io.shardpress.operators.compression.Settings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads the recipe's {@code steps}. What a step does not say comes from its preset, and what the
 * preset does not say from {@code defaults}; an override starts from its step.
 */
final class StepReader {
  private static final String TARGETS = "targets";
  private static final String IGNORE = "ignore";
  private static final String OVERRIDES = "overrides";
  private static final String SCHEME = "scheme";
  private static final List<String> STEP_KEYS = List.of(SCHEME, TARGETS, IGNORE, OVERRIDES);
  private static final List<String> OVERRIDE_KEYS = List.of(SCHEME, TARGETS);

  private final ConfigValue steps;
  private final Config defaults;
  private final ConfigObject presets;

  StepReader(Config document) {
    steps = document.root().get("steps");
    defaults = RecipeReader.section(document, "defaults").toConfig();
    presets = RecipeReader.section(document, "presets");
    refuseWrongDefaults();
    refuseWrongPresets();
  }

  /** A misspelt default must not wait for the first step that uses it. */
  private void refuseWrongDefaults() {
    RecordBinder.refuseUnknownKeys(defaults.root(), algorithms(), "defaults");
    for (Algorithm algorithm : Algorithm.values()) {
      String path = "defaults." + algorithm.key();
      if (!(defaults.root().get(algorithm.key()) instanceof ConfigObject section)) {
        throw new InputException(
            "%s: '%s' must be an object { … }.".formatted(Origins.of(defaults.root()), path));
      }
      bind(section, algorithm, path);
    }
  }

  private void refuseWrongPresets() {
    List<String> known =
        Arrays.stream(Algorithm.values())
            .flatMap(algorithm -> keys(algorithm).stream())
            .distinct()
            .toList();
    presets.forEach(
        (name, preset) -> {
          if (!(preset instanceof ConfigObject settings)) {
            throw new InputException(
                "%s: 'presets.%s' must be an object { … }.".formatted(Origins.of(preset), name));
          }
          RecordBinder.refuseUnknownKeys(settings, known, "presets." + name);
        });
  }

  List<Step> read() {
    if (!(steps instanceof ConfigList list)) {
      throw new InputException(
          "%s: 'steps' must be a list. Write steps = [ { gptq { scheme = W4A16 } } ]."
              .formatted(Origins.of(steps)));
    }
    List<Step> result = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      result.add(step(list.get(i), "steps." + i));
    }
    return result;
  }

  private Step step(ConfigValue value, String path) {
    if (!(value instanceof ConfigObject object)
        || object.size() != 1
        || !(object.values().iterator().next() instanceof ConfigObject body)) {
      throw new InputException(
          "%s: '%s' must hold one algorithm, such as { gptq { scheme = W4A16 } }."
              .formatted(Origins.of(value), path));
    }
    String name = object.keySet().iterator().next();
    RecordBinder.refuseUnknownKeys(object, algorithms(), path);
    Algorithm algorithm = Algorithm.named(name);
    String where = path + "." + name;
    refuseUnknownKeys(body, STEP_KEYS, algorithm, where);
    ConfigObject layered = layer(body, defaults.getConfig(name).root(), where);
    Settings settings = bind(layered, algorithm, where);
    List<Step.SettingsOverride> overrides = new ArrayList<>();
    List<? extends ConfigValue> exceptions = overrides(body, where);
    for (int i = 0; i < exceptions.size(); i++) {
      overrides.add(override(exceptions.get(i), layered, algorithm, where + ".overrides." + i));
    }
    ModuleMatcher targets = matcher(body, TARGETS).orElseGet(() -> ModuleMatcher.of("Linear"));
    ModuleMatcher ignore = matcher(body, IGNORE).orElse(Step.DEFAULT_IGNORE);
    return new Step(name, targets, ignore, settings, overrides);
  }

  private static List<? extends ConfigValue> overrides(ConfigObject body, String path) {
    ConfigValue value = body.get(OVERRIDES);
    if (value == null) {
      return List.of();
    }
    if (value instanceof ConfigList list) {
      return list;
    }
    throw new InputException(
        "%s: '%s.overrides' must be a list. Write overrides = [ { targets = [\"*.down_proj\"], bits = 8 } ]."
            .formatted(Origins.of(value), path));
  }

  private Step.SettingsOverride override(
      ConfigValue value, ConfigObject base, Algorithm algorithm, String path) {
    if (!(value instanceof ConfigObject object)) {
      throw new InputException(
          "%s: '%s' must be an object such as { targets = [\"*.down_proj\"], bits = 8 }."
              .formatted(Origins.of(value), path));
    }
    ModuleMatcher targets =
        matcher(object, TARGETS)
            .orElseThrow(
                () ->
                    new InputException(
                        "%s: '%s' has no targets. Say which modules it is for."
                            .formatted(Origins.of(value), path)));
    refuseUnknownKeys(object, OVERRIDE_KEYS, algorithm, path);
    return new Step.SettingsOverride(targets, bind(layer(object, base, path), algorithm, path));
  }

  /** {@code own} over its preset over {@code below}, with the keys of the step itself removed. */
  private ConfigObject layer(ConfigObject own, ConfigObject below, String path) {
    ConfigObject settings = own;
    for (String key : STEP_KEYS) {
      settings = settings.withoutKey(key);
    }
    // Messages point to the step, not to the sources that it was merged from.
    return settings.withFallback(preset(own, path)).withFallback(below).withOrigin(own.origin());
  }

  private ConfigObject preset(ConfigObject own, String path) {
    ConfigValue scheme = own.get(SCHEME);
    if (scheme == null) {
      return ConfigFactory.empty().root();
    }
    String name = String.valueOf(scheme.unwrapped());
    if (!(presets.get(name) instanceof ConfigObject preset)) {
      List<String> known = presets.keySet().stream().sorted().toList();
      throw new InputException(
          "%s: '%s.scheme' names no preset: '%s'.%s Known: %s."
              .formatted(
                  Origins.of(scheme),
                  path,
                  name,
                  KeyNames.nearest(name, known)
                      .map(near -> " Did you mean '%s'?".formatted(near))
                      .orElse(""),
                  String.join(", ", known)));
    }
    return preset;
  }

  private static Settings bind(ConfigObject layered, Algorithm algorithm, String path) {
    return (Settings)
        RecordBinder.bind(layered, algorithm.settings().asSubclass(Record.class), path);
  }

  private static void refuseUnknownKeys(
      ConfigObject object, List<String> own, Algorithm algorithm, String path) {
    List<String> known = new ArrayList<>(own);
    known.addAll(keys(algorithm));
    RecordBinder.refuseUnknownKeys(object, known, path);
  }

  private static List<String> algorithms() {
    return Arrays.stream(Algorithm.values()).map(Algorithm::key).toList();
  }

  private static List<String> keys(Algorithm algorithm) {
    return RecordBinder.keys(algorithm.settings().asSubclass(Record.class));
  }

  private static Optional<ModuleMatcher> matcher(ConfigObject object, String key) {
    ConfigValue value = object.get(key);
    if (value == null) {
      return Optional.empty();
    }
    List<? extends ConfigValue> patterns = value instanceof ConfigList list ? list : List.of(value);
    if (patterns.stream().anyMatch(pattern -> pattern.valueType() != ConfigValueType.STRING)) {
      throw new InputException(
          "%s: '%s' must be a list of module names, classes, globs or re:<regex>."
              .formatted(Origins.of(value), key));
    }
    try {
      return Optional.of(
          new ModuleMatcher(
              patterns.stream().map(pattern -> (String) pattern.unwrapped()).toList()));
    } catch (InputException e) {
      throw new InputException("%s: %s".formatted(Origins.of(value), e.getMessage()), e);
    }
  }
}
