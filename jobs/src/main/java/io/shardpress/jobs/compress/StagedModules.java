package io.shardpress.jobs.compress;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.model.ModuleWeights;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Block;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import java.io.Serializable;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The layers that a run has compressed so far, as a runtime will see them.
 *
 * @param layers compressed linears by module
 */
public record StagedModules(HadoopStore store, Workspace workspace, Map<String, Staged> layers)
    implements ModuleWeights, Serializable {
  private static final int COPIED_ROWS = 256;

  /**
   * A compressed linear and the files that hold it.
   *
   * @param task the last step that was made
   * @param encoder what wrote the files
   * @param files in row order
   */
  public record Staged(StepTask task, Encoder encoder, List<LayerOutcome.Part> files)
      implements Serializable {
    public Staged {
      files = List.copyOf(files);
    }
  }

  /**
   * What a plan's layers have become; those without a compressed weight stay dense.
   *
   * @param output what writes the results of last steps
   */
  public static StagedModules of(
      HadoopStore store,
      Workspace workspace,
      Encoder output,
      List<LayerTask> layers,
      Collection<LayerOutcome> outcomes) {
    Map<String, LayerTask> tasks = new HashMap<>();
    layers.forEach(layer -> tasks.put(layer.module(), layer));
    HashMap<String, Staged> staged = new HashMap<>();
    for (LayerOutcome outcome : outcomes) {
      if (outcome.replacesWeight()) {
        StepTask task = new StepTask(tasks.get(outcome.module()), outcome.steps() - 1);
        staged.put(outcome.module(), new Staged(task, task.encoder(output), outcome.files()));
      }
    }
    return new StagedModules(store, workspace, staged);
  }

  /** No compressed layers at all. */
  public static StagedModules none(HadoopStore store, Workspace workspace) {
    return new StagedModules(store, workspace, Map.of());
  }

  /** Those of stages {@code [from, to)} alone. */
  public StagedModules within(int from, int to) {
    HashMap<String, Staged> some = new HashMap<>(layers);
    some.values()
        .removeIf(
            staged -> staged.task().layer().stage() < from || staged.task().layer().stage() >= to);
    return new StagedModules(store, workspace, some);
  }

  @Override
  public boolean contains(String module) {
    return layers.containsKey(module);
  }

  @Override
  public INDArray matrix(String module, Precision precision) {
    Staged staged = layers.get(module);
    LayerTask layer = staged.task().layer();
    INDArray whole =
        precision == Precision.BF16
            ? BFloats.uninitialized(layer.out(), layer.in())
            : Floats.uninitialized(layer.out(), layer.in());
    try {
      for (LayerOutcome.Part part : staged.files()) {
        try (INDArray rows = decode(staged, part)) {
          place(rows, whole, (int) part.rows().first());
        }
      }
      return whole;
    } catch (RuntimeException | Error e) {
      whole.close();
      throw e;
    }
  }

  private INDArray decode(Staged staged, LayerOutcome.Part part) {
    INDArray decoded =
        staged
            .encoder()
            .decode(
                staged.task().layer().stored(part.rows()),
                staged.task().storage(),
                TensorFiles.read(store, workspace.layers().child(part.file().name())));
    if (!BFloats.isBf16(decoded)) {
      return decoded;
    }
    try (decoded) {
      return BFloats.widened(decoded);
    }
  }

  private static void place(INDArray rows, INDArray whole, int first) {
    int count = Floats.rows(rows);
    if (BFloats.isBf16(whole)) {
      BFloats.round(Block.all(rows), Block.rows(whole, first, count));
      return;
    }
    float[] some = new float[COPIED_ROWS * Floats.columns(rows)];
    for (int row = 0; row < count; row += COPIED_ROWS) {
      int copied = Math.min(COPIED_ROWS, count - row);
      Floats.readRows(rows, row, copied, some);
      Floats.writeRows(whole, first + row, copied, some);
    }
  }
}
