package io.shardpress.jobs.calibrate;

import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.util.List;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One-pass calibration of one chunk: the dense model runs from embedding to head, and the wanted
 * inputs of every stage are summed on the way.
 *
 * @param precision of the linears
 * @param wanted per stage (blocks, then the head) the inputs to sum
 * @param fromAllTokens inputs of experts that are to see every token of their layer
 */
record ObserveAllStages(
    ModelRef model,
    Precision precision,
    Workspace workspace,
    TokenChunks tokens,
    int chunk,
    List<Set<String>> wanted,
    Set<String> fromAllTokens)
    implements Work<Integer> {

  @Override
  public Integer run() {
    OpenModel open = model.open();
    Architecture architecture = open.requireArchitecture();
    WeightSource weights = open.weights(precision);
    int last = lastWanted();
    try (INDArray hidden = architecture.embed(tokens.readChunk(chunk), tokens.length(), weights)) {
      for (int stage = 0; stage <= last; stage++) {
        try (ChunkStatistics sums =
            new ChunkStatistics(
                model.store(),
                workspace.partials(stage, chunk),
                tokens.chunkTokens(),
                wanted.get(stage),
                fromAllTokens)) {
          InputObserver observer = stage == last ? Stages.inputsAlone(sums) : sums;
          Stages.run(open, stage, hidden, tokens.length(), weights, observer);
          if (!wanted.get(stage).isEmpty()) {
            sums.write();
          }
        }
      }
    }
    return chunk;
  }

  private int lastWanted() {
    int last = wanted.size() - 1;
    while (last >= 0 && wanted.get(last).isEmpty()) {
      last--;
    }
    return last;
  }
}
