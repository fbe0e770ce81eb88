package io.shardpress.jobs.assemble;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.assemble.OutputTensor.Piece;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.operators.encoding.Encoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the published checkpoint consists of: the source's tensors, compressed ones replaced. */
public final class OutputTensors {
  private final Workspace workspace;
  private final Encoder encoder;

  public OutputTensors(Workspace workspace, Encoder encoder) {
    this.workspace = workspace;
    this.encoder = encoder;
  }

  /** The tensors in the source's order, each with the files that hold its bytes now. */
  public List<OutputTensor> of(
      Checkpoint source, List<LayerTask> layers, List<LayerOutcome> outcomes) {
    Map<String, LayerOutcome> byModule = new HashMap<>();
    outcomes.stream()
        .filter(LayerOutcome::replacesWeight)
        .forEach(outcome -> byModule.put(outcome.module(), outcome));
    Map<String, LayerTask> replaced = new HashMap<>();
    layers.stream()
        .filter(layer -> byModule.containsKey(layer.module()))
        .forEach(layer -> replaced.put(layer.weight().name(), layer));
    List<OutputTensor> tensors = new ArrayList<>();
    for (TensorSpec spec : source.specs().values()) {
      LayerTask layer = replaced.get(spec.name());
      if (layer == null) {
        tensors.add(OutputTensor.whole(spec, source.shardOf(spec.name()).location()));
      } else {
        tensors.addAll(encoded(layer, byModule.get(layer.module())));
      }
    }
    return List.copyOf(tensors);
  }

  List<OutputTensor> encoded(LayerTask layer, LayerOutcome outcome) {
    List<OutputTensor> tensors = new ArrayList<>();
    for (int i = 0; i < outcome.tensors().size(); i++) {
      TensorSpec spec = outcome.tensors().get(i);
      List<Piece> pieces = new ArrayList<>();
      for (LayerOutcome.Part part : outcome.files()) {
        TensorSpec stored = encoder.plan(layer.stored(part.rows()), layer.storage()).get(i);
        pieces.add(new Piece(stored, workspace.layers().child(part.file().name())));
      }
      // What does not grow with the rows, such as their number, is the same in every slice.
      boolean sameInAll = pieces.stream().allMatch(piece -> piece.spec().equals(spec));
      tensors.add(new OutputTensor(spec, sameInAll ? pieces.subList(0, 1) : pieces));
    }
    return tensors;
  }
}
