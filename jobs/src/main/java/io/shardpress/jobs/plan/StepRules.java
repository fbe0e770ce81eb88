package io.shardpress.jobs.plan;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.recipe.CalibrationMode;
import io.shardpress.operators.compression.Algorithm;
import io.shardpress.operators.compression.Pruner;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.Settings.Role;
import io.shardpress.operators.compression.Survey.Subject;

/** Which steps a linear can take, and in which order. */
final class StepRules {
  private StepRules() {}

  /**
   * @throws InputException when the steps do not go together, or one does not fit the shape
   */
  static void check(LayerTask layer, CalibrationMode mode) {
    boolean quantized = false;
    for (StepTask task : (Iterable<StepTask>) layer.tasks()::iterator) {
      Settings settings = task.settings();
      Role role = settings.role();
      boolean quantizes = role == Role.QUANTIZE || role == Role.PRUNE_AND_QUANTIZE;
      if (quantized && quantizes) {
        throw refused(
            layer,
            "a second step, %s, would quantize it; once is all a weight can take. Narrow the targets of the steps, or use overrides inside one"
                .formatted(name(task)));
      }
      if (quantized && role == Role.PRUNE) {
        throw refused(
            layer,
            "%s would prune it behind a step that quantizes. Put pruning first"
                .formatted(name(task)));
      }
      if (role == Role.REFINE && task.isFirst()) {
        throw refused(
            layer,
            "%s improves what an earlier step left, and there is none. Put it behind a step that prunes or quantizes"
                .formatted(name(task)));
      }
      if (!task.isFirst() && mode == CalibrationMode.SEQUENTIAL && isSurveyed(task)) {
        throw refused(
            layer,
            "%s has to see the weights of all blocks at once, which with calibration.mode = sequential only a first step can. Put it first, or set the mode to one-pass"
                .formatted(name(task)));
      }
      quantized |= quantizes;
      checkShape(layer, task);
    }
  }

  /** Whether something has to be known before the linear, or a slice of its rows, is solved. */
  private static boolean isSurveyed(StepTask task) {
    LayerTask layer = task.layer();
    return task.settings()
        .survey()
        .filter(
            survey ->
                layer.slices().stream()
                    .map(
                        rows ->
                            new Subject(
                                layer.module(),
                                layer.stage(),
                                rows.first(),
                                rows.count(),
                                layer.out(),
                                layer.in()))
                    .anyMatch(survey::concerns))
        .isPresent();
  }

  private static void checkShape(LayerTask layer, StepTask task) {
    try {
      if (task.settings() instanceof Pruner pruner) {
        pruner.amount().check(layer.in());
      }
    } catch (InputException e) {
      throw refused(layer, e.getMessage(), e);
    }
    task.storage().check(layer.module(), layer.in());
  }

  private static String name(StepTask task) {
    return "steps.%d (%s)".formatted(task.position(), Algorithm.of(task.settings()).key());
  }

  private static InputException refused(LayerTask layer, String why) {
    return refused(layer, why + ".", null);
  }

  private static InputException refused(LayerTask layer, String why, InputException cause) {
    return new InputException("%s: %s".formatted(layer.module(), why), cause);
  }
}
