package io.shardpress.operators.model;

import io.shardpress.common.checkpoint.ModelConfig;
import io.shardpress.operators.model.decoder.Decoder;
import io.shardpress.operators.model.family.Families;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds the architecture of a checkpoint. */
public final class Architectures {
  private Architectures() {}

  /**
   * The architecture of a checkpoint; empty when no family has its model type (data-free methods
   * still work on the tensors by name).
   *
   * @param tensorNames all tensors of the checkpoint
   * @throws io.shardpress.common.error.InputException if the family is known, but the configuration
   *     asks for something unsupported or does not fit the tensors
   */
  public static Optional<Architecture> of(ModelConfig config, Set<String> tensorNames) {
    return Families.describe(config, tensorNames).map(Decoder::new);
  }

  /** The model types that {@link #of} knows. */
  public static List<String> modelTypes() {
    return Families.modelTypes();
  }
}
