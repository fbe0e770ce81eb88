package io.shardpress.jobs.plan;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Layout;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** Guesses the linears of a checkpoint of an unknown family from names and shapes. */
final class LinearCatalog {
  private static final String WEIGHT = ".weight";

  /** Two-dimensional weights that are looked up or added, not multiplied with. */
  private static final Pattern NOT_A_LINEAR =
      Pattern.compile("embed|wte|wpe|norm|(^|[._])ln[._]|position|token_type|relative_attention");

  private LinearCatalog() {}

  /**
   * Two-dimensional float weights called {@code <module>.weight} that do not look like embeddings,
   * norms or positions. They are taken as {@code [out, in]}.
   */
  static List<LinearModule> byShape(Checkpoint checkpoint) {
    List<LinearModule> linears = new ArrayList<>();
    for (TensorSpec spec : checkpoint.specs().values()) {
      boolean matrix =
          spec.shape().size() == 2
              && spec.shape().stream().allMatch(size -> size > 0)
              && spec.dtype().isWeightFloat();
      if (!matrix
          || !spec.name().endsWith(WEIGHT)
          || NOT_A_LINEAR.matcher(spec.name().toLowerCase(Locale.ROOT)).find()) {
        continue;
      }
      String module = spec.name().substring(0, spec.name().length() - WEIGHT.length());
      linears.add(
          new LinearModule(
              module,
              spec.shape().get(0),
              spec.shape().get(1),
              Layout.OUT_IN,
              module + ".input",
              Role.MLP,
              OptionalInt.empty()));
    }
    return List.copyOf(linears);
  }
}
