package io.shardpress.jobs.recipe;

import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.operators.compression.Settings;
import java.util.List;
import java.util.Optional;

/**
 * One entry of a recipe's {@code steps}: an algorithm, the linears it is for, and its settings,
 * which may differ for some of them.
 *
 * @param algorithm name as in the recipe, e.g. {@code gptq}
 * @param ignore wins over {@code targets}
 * @param overrides the first that matches decides; tried before {@code settings}
 */
public record Step(
    String algorithm,
    ModuleMatcher targets,
    ModuleMatcher ignore,
    Settings settings,
    List<SettingsOverride> overrides) {

  /** What a step that says nothing leaves alone: heads weigh little and are sensitive. */
  public static final ModuleMatcher DEFAULT_IGNORE = ModuleMatcher.of("lm_head");

  public Step {
    overrides = List.copyOf(overrides);
  }

  /** Settings for some of a step's targets. */
  public record SettingsOverride(ModuleMatcher targets, Settings settings) {}

  /** What this step does to a module, if anything. */
  public Optional<Settings> settingsFor(String module, String moduleClass) {
    if (ignore.matches(module, moduleClass) || !targets.matches(module, moduleClass)) {
      return Optional.empty();
    }
    return Optional.of(
        overrides.stream()
            .filter(override -> override.targets().matches(module, moduleClass))
            .findFirst()
            .map(SettingsOverride::settings)
            .orElse(settings));
  }
}
