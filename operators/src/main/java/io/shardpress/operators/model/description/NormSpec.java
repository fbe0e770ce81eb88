package io.shardpress.operators.model.description;

import java.util.List;

/**
 * A normalization over the last dimension.
 *
 * @param module {@code module.weight}, and {@code module.bias} for {@link Kind#LAYER}
 */
public record NormSpec(String module, Kind kind, double epsilon) {

  /** The formula. */
  public enum Kind {
    /** x / sqrt(mean(x²) + ε) · w (Zhang and Sennrich, 2019). */
    RMS,
    /** The same with 1 + w: Gemma. */
    RMS_ONE_PLUS,
    /** (x - mean) / sqrt(variance + ε) · w + b (Ba et al., 2016). */
    LAYER
  }

  public String weight() {
    return module + ".weight";
  }

  public String bias() {
    return module + ".bias";
  }

  List<String> tensors() {
    return kind == Kind.LAYER ? List.of(weight(), bias()) : List.of(weight());
  }
}
