package io.shardpress.jobs.assemble;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.run.Workspace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the published checkpoint consists of: the source's tensors, compressed ones replaced. */
public final class OutputTensors {
  private OutputTensors() {}

  /**
   * The tensors in the source's order, each with the file that holds its bytes now.
   *
   * @param weights the source tensor of each compressed module
   */
  public static List<OutputTensor> of(
      Checkpoint source,
      Map<String, TensorSpec> weights,
      List<LayerOutcome> outcomes,
      Workspace workspace) {
    Map<String, LayerOutcome> replaced = new HashMap<>();
    outcomes.stream()
        .filter(LayerOutcome::replacesWeight)
        .forEach(outcome -> replaced.put(weights.get(outcome.module()).name(), outcome));
    List<OutputTensor> tensors = new ArrayList<>();
    for (TensorSpec spec : source.specs().values()) {
      LayerOutcome outcome = replaced.get(spec.name());
      if (outcome == null) {
        tensors.add(new OutputTensor(spec, source.shardOf(spec.name()).location()));
      } else {
        outcome
            .tensors()
            .forEach(
                tensor -> tensors.add(new OutputTensor(tensor, workspace.layer(outcome.module()))));
      }
    }
    return List.copyOf(tensors);
  }
}
