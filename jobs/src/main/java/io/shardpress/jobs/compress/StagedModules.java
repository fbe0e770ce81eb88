package io.shardpress.jobs.compress;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.jobs.model.ModuleWeights;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.encoding.Encoder;
import java.io.Serializable;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The layers that a run has compressed so far, as a runtime will see them.
 *
 * @param layers compressed linears by module
 */
public record StagedModules(
    HadoopStore store, Workspace workspace, Encoder encoder, Map<String, LayerTask> layers)
    implements ModuleWeights, Serializable {

  @Override
  public boolean contains(String module) {
    return layers.containsKey(module);
  }

  @Override
  public INDArray matrix(String module) {
    LayerTask layer = layers.get(module);
    return encoder.decode(
        layer.stored(), layer.scheme(), TensorFiles.read(store, workspace.layer(module)));
  }
}
