package io.shardpress.jobs.job;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.data.TokenPreparation;
import io.shardpress.jobs.evaluate.Evaluator;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.EvaluationMemory;
import io.shardpress.jobs.recipe.EvaluationSettings;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.operators.linalg.KernelChoice;
import java.util.Optional;

/** Measures a checkpoint on held-out text, alone or beside its dense original. */
public final class EvaluateJob {
  private final Session session;
  private final Progress progress;
  private final KernelChoice kernels;

  public EvaluateJob(Session session, Progress progress, KernelChoice kernels) {
    this.session = session;
    this.progress = progress;
    this.kernels = kernels;
  }

  /**
   * @param model dense checkpoint, or one that Shardpress compressed
   * @param reference the dense original to compare with
   */
  public EvaluationReport run(
      Location model, Optional<Location> reference, EvaluationSettings settings) {
    HadoopStore store = session.store();
    ModelRef measured = new ModelRef(store, model);
    Optional<ModelRef> dense = reference.map(location -> new ModelRef(store, location));
    // The tokenizer is the dense model's where there is one; headers are checked before any work.
    OpenModel open = measured.openWhole();
    OpenModel tokenSource = dense.map(ModelRef::openWhole).orElse(open);
    requireFits(tokenSource, dense.isPresent() ? 2 : 1, settings.dataSettings());
    Location scratch = session.scratch();
    try {
      TokenChunks tokens =
          new TokenPreparation(session.sql(), store)
              .prepare(settings.dataSettings(), tokenSource.tokens(), scratch);
      return new EvaluationReport(
          model.toString(),
          new Evaluator(session.tasks(kernels), progress).evaluate(measured, dense, tokens));
    } finally {
      store.delete(scratch);
    }
  }

  private void requireFits(OpenModel model, int models, DataSettings data) {
    long tokens = (long) data.sequencesPerChunk() * data.length();
    session
        .budget()
        .require(
            "Evaluating a chunk of %d tokens".formatted(tokens),
            EvaluationMemory.of(model, tokens, data.length(), models));
  }
}
