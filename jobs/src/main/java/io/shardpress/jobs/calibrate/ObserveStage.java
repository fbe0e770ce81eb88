package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.Location;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sequential calibration of one stage on one chunk: takes the activations through the stage before,
 * now compressed, keeps them, and sums the wanted inputs of this stage with dense weights.
 *
 * @param precision of the linears
 * @param before the compressed layers of the stage before
 */
record ObserveStage(
    ModelRef model,
    Precision precision,
    Workspace workspace,
    TokenChunks tokens,
    int chunk,
    int stage,
    StagedModules before,
    Set<String> wanted,
    Set<String> fromAllTokens)
    implements Work<Integer> {

  @Override
  public Integer run() {
    OpenModel open = model.open();
    try (INDArray hidden = arriving(open)) {
      if (!wanted.isEmpty()) {
        try (ChunkStatistics sums =
            new ChunkStatistics(
                model.store(),
                workspace.partials(stage, chunk),
                tokens.chunkTokens(),
                wanted,
                fromAllTokens)) {
          Stages.run(
              open,
              stage,
              hidden,
              tokens.length(),
              open.weights(precision),
              Stages.inputsAlone(sums));
          sums.write();
        }
      }
    }
    return chunk;
  }

  /** The hidden states that arrive at this stage; kept for the stage after it. */
  private INDArray arriving(OpenModel open) {
    Location kept = workspace.activations(stage, chunk);
    if (!fromAllTokens.isEmpty()) { // the second look at a stage, whose first one kept them
      return Activations.read(model.store(), kept);
    }
    INDArray hidden =
        stage == 0
            ? open.requireArchitecture()
                .embed(tokens.readChunk(chunk), tokens.length(), open.weights())
            : Activations.read(model.store(), workspace.activations(stage - 1, chunk));
    try {
      if (stage > 0) {
        WeightSource compressed = open.with(before, precision);
        Stages.run(open, stage - 1, hidden, tokens.length(), compressed, InputObserver.NONE);
      }
      Activations.write(model.store(), kept, hidden);
      return hidden;
    } catch (RuntimeException | Error e) {
      hidden.close();
      throw e;
    }
  }
}
