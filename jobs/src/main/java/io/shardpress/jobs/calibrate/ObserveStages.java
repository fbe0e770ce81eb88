package io.shardpress.jobs.calibrate;

import io.shardpress.common.storage.Location;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.model.InputObserver;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Takes one chunk of sequences through some stages of the model, and sums the wanted inputs on the
 * way. Every attempt writes files of its own.
 *
 * @param precision of the linears
 * @param arriving the chunk's hidden states at the route's first stage; none where that is the
 *     embedding
 * @param before the layers of these stages that are compressed already
 * @param wanted per observed stage the inputs to sum
 * @param momentsAlone of the wanted inputs those that no Gram is wanted of
 * @param fromAllTokens inputs of experts that are to see every token of their layer
 * @param memory predicted
 */
record ObserveStages(
    ModelRef model,
    Precision precision,
    Workspace workspace,
    TokenChunks tokens,
    int chunk,
    Route route,
    List<PublishedFile> arriving,
    StagedModules before,
    List<Set<String>> wanted,
    Set<String> momentsAlone,
    Set<String> fromAllTokens,
    TaskMemory memory)
    implements Work<ObserveStages.Seen> {

  /**
   * Stages in the order of the forward pass: those from {@code from} on are passed, and those from
   * {@code first} to {@code last} observed.
   *
   * @param keep the stage at which arriving states are kept for later passes; {@link #NOWHERE} none
   */
  record Route(int from, int first, int last, int keep) implements Serializable {
    static final int NOWHERE = -1;

    Route {
      if (from < 0 || first < from || last < first || keep > last + 1) {
        throw new IllegalArgumentException(
            "From %d, %d to %d, keep at %d".formatted(from, first, last, keep));
      }
    }

    /** The same for a second look, when all that is to be kept was kept. */
    Route again() {
      return new Route(from, first, last, NOWHERE);
    }
  }

  /**
   * What a task left in the workspace.
   *
   * @param partials per observed stage the file of its partial sums; empty where none were wanted
   * @param kept the hidden states that were to be kept, if any
   */
  record Seen(List<String> partials, List<PublishedFile> kept) implements Serializable {
    Seen {
      partials = List.copyOf(partials);
      kept = List.copyOf(kept);
    }
  }

  /** Apart where it is a pass for one stage alone, as block by block: there is one for each. */
  @Override
  public String kind() {
    boolean alone = route.first() == route.last() && route.keep() <= route.first();
    return alone ? "ObserveStage" : Work.super.kind();
  }

  @Override
  public Seen run() {
    OpenModel open = model.open();
    WeightSource dense = open.weights(precision);
    WeightSource compressed = open.with(before, precision);
    List<String> partials = new ArrayList<>();
    List<PublishedFile> kept = new ArrayList<>();
    int end = Math.max(lastWanted(), route.keep() - 1);
    try (INDArray hidden = arrived(open, dense)) {
      for (int stage = route.from(); stage <= end; stage++) {
        if (stage == route.keep()) {
          kept.add(keep(hidden));
        }
        if (stage < route.first()) {
          Stages.run(open, stage, hidden, tokens.length(), compressed, InputObserver.NONE);
        } else {
          partials.add(observe(open, stage, hidden, compressed, stage < end || route.keep() > end));
        }
      }
      if (route.keep() > end) {
        kept.add(keep(hidden));
      }
    }
    return new Seen(partials, kept);
  }

  private String observe(
      OpenModel open, int stage, INDArray hidden, WeightSource weights, boolean outputIsRead) {
    Set<String> inputs = wanted.get(stage - route.first());
    Location file = workspace.partials(stage, chunk, UUID.randomUUID());
    try (ChunkStatistics sums =
        new ChunkStatistics(
            model.store(), file, tokens.chunkTokens(), inputs, momentsAlone, fromAllTokens)) {
      InputObserver observer = outputIsRead ? sums : Stages.inputsAlone(sums);
      Stages.run(open, stage, hidden, tokens.length(), weights, observer);
      if (inputs.isEmpty()) {
        return "";
      }
      sums.write();
      return file.name();
    }
  }

  private INDArray arrived(OpenModel open, WeightSource weights) {
    return arriving.isEmpty()
        ? open.requireArchitecture().embed(tokens.readChunk(chunk), tokens.length(), weights)
        : Activations.read(
            model.store(), workspace.activations(route.from()).child(arriving.get(0).name()));
  }

  private PublishedFile keep(INDArray hidden) {
    return Activations.write(
        model.store(), workspace.activations(route.keep(), chunk, UUID.randomUUID()), hidden);
  }

  private int lastWanted() {
    int last = route.last();
    while (last >= route.first() && wanted.get(last - route.first()).isEmpty()) {
      last--;
    }
    return last;
  }
}
