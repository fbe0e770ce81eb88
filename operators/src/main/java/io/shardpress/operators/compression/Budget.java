package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import java.io.Serializable;

/**
 * How a step's sparsity is shared out over its layers. {@code uniform} gives all the same; {@code
 * owl} (Yin et al., "Outlier Weighed Layerwise Sparsity", 2023) leaves more to blocks with more
 * weights whose Wanda score is far above the block's mean. Either way the share of zeros over all
 * of the step's weights is the one that was asked for. Settings may give the method's name alone.
 *
 * @param multiple how far above: a score is an outlier's above {@code multiple} times the mean
 * @param spread λ: the sparsities of two blocks differ by at most twice as much
 */
public record Budget(Method method, double multiple, double spread) implements Serializable {
  /** All layers alike. */
  public static final Budget UNIFORM = new Budget(Method.UNIFORM, 5, 0.08);

  /** With the published values. */
  public static final Budget OWL = new Budget(Method.OWL, 5, 0.08);

  /** Who decides. */
  public enum Method {
    UNIFORM,
    OWL
  }

  public Budget {
    if (!(multiple > 1 && Double.isFinite(multiple))) {
      throw new InputException(
          "budget.multiple = %s: give a factor on the mean score above 1.".formatted(multiple));
    }
    if (!(spread >= 0 && spread <= 0.5)) {
      throw new InputException("budget.spread = %s: give 0 to 0.5.".formatted(spread));
    }
  }

  /** What it changes in a clause on pruning, for people; empty where that says it all. */
  String describe() {
    return switch (method) {
      case UNIFORM -> "";
      case OWL ->
          "; that is the average over all linears with these settings: blocks with more outliers"
              + " keep more, and the shares are known after calibration";
    };
  }

  /** Reads {@code uniform} or {@code owl}. */
  public static Budget parse(String text) {
    return switch (text) {
      case "uniform" -> UNIFORM;
      case "owl" -> OWL;
      default -> throw new InputException("budget = %s: give uniform or owl.".formatted(text));
    };
  }
}
