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
import io.shardpress.operators.quantization.Algorithm;
import io.shardpress.operators.quantization.Settings;
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

  private final Config document;

  StepReader(Config document) {
    this.document = document;
  }

  List<Step> read() {
    ConfigValue steps = document.getValue("steps");
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
    Algorithm algorithm = algorithm(name, body, path);
    String where = path + "." + name;
    Config defaults =
        document.hasPath("defaults." + name)
            ? document.getConfig("defaults." + name)
            : ConfigFactory.empty();
    Config layered = layer(body.toConfig(), defaults, where);
    Settings settings = bind(layered, algorithm, where);
    List<Step.Override> overrides = new ArrayList<>();
    List<? extends ConfigValue> exceptions =
        body.get(OVERRIDES) instanceof ConfigList listed ? listed : List.of();
    for (int i = 0; i < exceptions.size(); i++) {
      overrides.add(override(exceptions.get(i), layered, algorithm, where + ".overrides." + i));
    }
    ModuleMatcher targets = matcher(body, TARGETS).orElseGet(() -> ModuleMatcher.of("Linear"));
    ModuleMatcher ignore = matcher(body, IGNORE).orElseGet(() -> ModuleMatcher.of("lm_head"));
    return new Step(name, targets, ignore, settings, overrides);
  }

  private Step.Override override(ConfigValue value, Config base, Algorithm algorithm, String path) {
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
    return new Step.Override(targets, bind(layer(object.toConfig(), base, path), algorithm, path));
  }

  /** {@code own} over its preset over {@code below}, with the keys of the step itself removed. */
  private Config layer(Config own, Config below, String path) {
    Config settings = own.withoutPath(TARGETS).withoutPath(IGNORE).withoutPath(OVERRIDES);
    if (!settings.hasPath(SCHEME)) {
      return settings.withFallback(below);
    }
    ConfigValue scheme = settings.getValue(SCHEME);
    String name = String.valueOf(scheme.unwrapped());
    ConfigObject presets = document.getObject("presets");
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
    return settings.withoutPath(SCHEME).withFallback(preset).withFallback(below);
  }

  private static Settings bind(Config layered, Algorithm algorithm, String path) {
    return (Settings)
        RecordBinder.bind(layered.root(), algorithm.settings().asSubclass(Record.class), path);
  }

  private static Algorithm algorithm(String name, ConfigObject body, String path) {
    List<String> known = Arrays.stream(Algorithm.values()).map(Algorithm::key).toList();
    if (!known.contains(name)) {
      throw RecordBinder.unknownKey(body, path + "." + name, name, known);
    }
    return Algorithm.named(name);
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
    return Optional.of(
        new ModuleMatcher(patterns.stream().map(pattern -> (String) pattern.unwrapped()).toList()));
  }
}
