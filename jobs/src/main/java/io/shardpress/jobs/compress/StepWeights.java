package io.shardpress.jobs.compress;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.compression.CompressedWeight;
import io.shardpress.operators.encoding.CompressedTensors;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a step of a linear starts from, for some of its rows.
 *
 * @param before the file that the step before left of these rows; none where it is the first, or
 *     left the weight as it is
 */
record StepWeights(StepTask task, RowSlice rows, List<PublishedFile> before)
    implements Serializable {
  StepWeights {
    before = List.copyOf(before);
  }

  LayerTask layer() {
    return task.layer();
  }

  long weights() {
    return rows.count() * layer().in();
  }

  /** Its share of the step's cost. */
  double cost() {
    return task.cost() * rows.count() / layer().out();
  }

  /** The rows in the checkpoint, F32 or BF16; the caller closes them. */
  INDArray dense(OpenModel open) {
    return open.denseWeight(layer().weight().name(), layer().layout(), rows.first(), rows.count());
  }

  /** What the step before made of them. */
  Optional<CompressedWeight> before(HadoopStore store, Workspace workspace) {
    return before.stream()
        .map(
            file ->
                new CompressedTensors()
                    .read(
                        layer().stored(rows),
                        task.before().storage(),
                        TensorFiles.read(store, workspace.layers().child(file.name()))))
        .findFirst();
  }
}
