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

  /**
   * What decided about a module.
   *
   * @param settings none where the step leaves it alone
   * @param rule the pattern that decided, for people
   */
  public record Decision(Optional<Settings> settings, String rule) {}

  /** What this step does to a module, and why. */
  public Decision decide(String module, String moduleClass) {
    Optional<String> ignored = ignore.match(module, moduleClass);
    if (ignored.isPresent()) {
      return new Decision(Optional.empty(), "'%s' is ignored".formatted(ignored.get()));
    }
    Optional<String> target = targets.match(module, moduleClass);
    if (target.isEmpty()) {
      return new Decision(Optional.empty(), "no target matches");
    }
    for (int i = 0; i < overrides.size(); i++) {
      Optional<String> match = overrides.get(i).targets().match(module, moduleClass);
      if (match.isPresent()) {
        return new Decision(
            Optional.of(overrides.get(i).settings()),
            "target '%s', override %d for '%s'".formatted(target.get(), i, match.get()));
      }
    }
    return new Decision(Optional.of(settings), "target '%s'".formatted(target.get()));
  }
}
