package io.shardpress.jobs.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.FallbackLimitException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.OutputShard;
import io.shardpress.jobs.assemble.OutputTensors;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.calibrate.Calibration;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.data.TokenPreparation;
import io.shardpress.jobs.data.TokenRequest;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.evaluate.Evaluator;
import io.shardpress.jobs.model.ModelDigest;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.resume.Lease;
import io.shardpress.jobs.resume.Lease.Patience;
import io.shardpress.jobs.resume.RunIdentity;
import io.shardpress.jobs.resume.UnfinishedRuns;
import io.shardpress.jobs.resume.UnfinishedRuns.Earlier;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.Encoder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Compresses a checkpoint: plan, tokenize, calibrate and compress, assemble, evaluate, publish.
 *
 * <p>Work is done in a workspace beside the output, which is removed at the end. Where a run is cut
 * short its workspace stays, and the same job started again goes on from there; where it failed for
 * its input, which would fail again, nothing but {@code run.json} stays.
 */
public final class CompressJob {
  private final Session session;
  private final HadoopStore store;
  private final Progress progress;
  private final Recipe recipe;
  private final ModelRef model;
  private final Location output;
  private final Encoder encoder;
  private final Publisher publisher;
  private final UnfinishedRuns unfinished;
  private final Earlier earlier;
  private final RunLog log;
  private Optional<Workspace> workspace = Optional.empty();

  /**
   * @param output an empty or absent folder
   */
  public CompressJob(Session session, Progress progress, Recipe recipe, Location output) {
    this(session, progress, recipe, output, Existing.REFUSE, Earlier.RESUME);
  }

  /**
   * @param output where to publish; not the model's folder, nor above or below it
   * @param existing what becomes of an earlier run's checkpoint there
   * @param earlier what becomes of an unfinished run's work there
   */
  public CompressJob(
      Session session,
      Progress progress,
      Recipe recipe,
      Location output,
      Existing existing,
      Earlier earlier) {
    this.session = session;
    this.store = session.store();
    this.progress = progress;
    this.recipe = recipe;
    this.model = new ModelRef(store, Location.of(recipe.model()));
    this.output = output;
    this.encoder = recipe.output().format().encoder();
    this.publisher = new Publisher(store, output, existing);
    this.unfinished = new UnfinishedRuns(store, output);
    this.earlier = earlier;
    this.log = new RunLog(UUID.randomUUID(), recipe, session.application(), Instant.now());
  }

  /**
   * Runs the job, or finishes it where an earlier attempt was cut short.
   *
   * @return what {@code run.json} holds; empty when an earlier attempt had published already and
   *     only its workspace was left
   * @throws FallbackLimitException when the checkpoint is published, but more layers fell back than
   *     the recipe allows
   */
  public Optional<RunRecord> run() {
    requireApartFromModel();
    publisher.requireUsable(unfinished);
    try (Lease lease = Lease.take(store, output.child(Workspace.STAGING), Patience.DEFAULT)) {
      if (publisher.isCompleteBy(unfinished.ids())) {
        unfinished.discard();
        return Optional.empty();
      }
      publisher.requireUsable(unfinished); // once more: another run may have ended meanwhile
      RunRecord record = run(lease);
      requireFewFallbacks(record);
      return Optional.of(record);
    }
  }

  private RunRecord run(Lease lease) {
    if (earlier == Earlier.DISCARD || !unfinished.any()) {
      unfinished.discard();
      publisher.claim(log.running());
    }
    RunRecord record;
    try {
      record = compress(lease);
    } catch (RuntimeException e) {
      end(e);
      throw e;
    }
    tidy();
    return record;
  }

  /** The checkpoint is published; what cannot be removed of the work is only in the way. */
  private void tidy() {
    try {
      unfinished.discard();
    } catch (ShardpressException e) {
      progress.say(
          "note: the run's work in %s could not be removed; `shardpress clean` does it. (%s)"
              .formatted(output.child(Workspace.STAGING), e.getMessage()));
    }
  }

  /** What would fail again in the same way leaves nothing; anything else can be resumed. */
  private void end(RuntimeException failure) {
    publisher.withdraw(log.failed(String.valueOf(failure.getMessage())), failure);
    boolean again = failure instanceof InputException || failure instanceof NumericalException;
    if (workspace.isEmpty()) {
      return; // of an earlier attempt, if there is any work: it was not touched
    }
    if (!again) {
      progress.say(
          "note: finished work is kept in %s; start the same command again to go on, or remove it with `shardpress clean`"
              .formatted(output.child(Workspace.STAGING)));
      return;
    }
    try {
      unfinished.discard();
    } catch (ShardpressException e) {
      failure.addSuppressed(e); // only in the way; the run has ended as it has
    }
  }

  private void requireApartFromModel() {
    Location place = store.resolve(output);
    Location source = store.resolve(model.location());
    if (place.isWithin(source) || source.isWithin(place)) {
      throw new DestinationException(
          "The output %s and the model %s are in one another. Choose another --output: the model is never written to."
              .formatted(output, model.location()));
    }
  }

  private RunRecord compress(Lease lease) {
    OpenModel source = log.time("plan", model::openWhole);
    Plan plan = log.time("plan", () -> Planner.plan(source, recipe, encoder));
    log.planned(source.checkpoint(), plan);
    plan.requireFits(session.budget());
    plan.warnings().forEach(warning -> progress.say("note: " + warning));
    Optional<TokenRequest> data =
        plan.needsStatistics() ? Optional.of(calibrationData(source)) : Optional.empty();
    String digest = log.time("plan", () -> ModelDigest.of(tasks(), model));
    Workspace place = enter(RunIdentity.of(recipe, digest, data.map(TokenRequest::address)));
    Optional<TokenChunks> calibration = data.map(request -> tokens(request, place));
    Optional<TokenChunks> evaluation =
        evaluationData(source).map(request -> tokens(request, place));

    List<LayerOutcome> outcomes = solve(plan, digest, calibration, place);
    refuseFailures(outcomes);

    List<OutputShard> shards =
        OutputShard.plan(
            new OutputTensors(place, encoder).of(source.checkpoint(), plan.layers(), outcomes),
            recipe.output().maxShardSize().bytes());
    log.time(
        "assemble",
        () -> {
          lease.requireHeld();
          publisher.makeRoom(log.running(), place, shards, source.checkpoint());
          publisher.writeShards(shards, place, tasks(), progress);
          publisher.writeCompanions(source.checkpoint(), config(source, plan, outcomes));
          return shards;
        });
    log.assembled(shards.stream().mapToLong(OutputShard::bytes).sum());
    evaluation.ifPresent(this::evaluate);
    lease.requireHeld();
    RunRecord record = log.complete(publisher.files());
    publisher.writeCosts(log.costs());
    publisher.commit(record);
    return record;
  }

  /** Goes into the workspace of an earlier attempt of this very run, or into a fresh one. */
  private Workspace enter(RunIdentity identity) {
    UUID run = unfinished.enter(identity, earlier, log.run());
    boolean resumes = !run.equals(log.run());
    log.resumes(run);
    workspace = Optional.of(Workspace.beside(output, run));
    if (resumes) {
      progress.say("note: going on with run %s, which was cut short".formatted(run));
      publisher.resume(log.running());
    }
    return workspace.get();
  }

  private List<LayerOutcome> solve(
      Plan plan, String modelDigest, Optional<TokenChunks> tokens, Workspace place) {
    Compression compression = new Compression(tasks(), progress, model, place, encoder);
    compression.resume();
    Solving solving = new Solving(progress, plan, log, compression);
    List<LayerOutcome> outcomes =
        tokens
            .map(chunks -> solveWithData(solving, plan, modelDigest, chunks, place))
            .orElseGet(solving::withoutData);
    log.solved(outcomes, compression.resumed());
    return outcomes;
  }

  private List<LayerOutcome> solveWithData(
      Solving solving, Plan plan, String modelDigest, TokenChunks tokens, Workspace place) {
    Calibrating calibrating =
        new Calibrating(
            tasks(), progress, model, modelDigest, place, plan, recipe.calibration(), tokens);
    Calibration calibration = calibrating.calibration();
    calibration.resume();
    List<LayerOutcome> outcomes =
        switch (recipe.calibration().mode()) {
          case ONE_PASS -> solving.onePass(calibration);
          case SEQUENTIAL -> solving.sequential(calibration, calibrating::ahead);
        };
    log.calibrated(tokens.digest(), calibration.experts());
    return outcomes;
  }

  private Tasks tasks() {
    return session.tasks(recipe.run().kernels(), log.tasks());
  }

  private TokenRequest calibrationData(OpenModel source) {
    if (recipe.calibration().data().isEmpty()) {
      throw new InputException(
          "The recipe's steps need calibration data, and calibration.data names none. Set it to"
              + " text, JSON lines, Parquet or token ids, or use a data-free step such as rtn.");
    }
    return request(source, recipe.calibration().dataSettings());
  }

  private Optional<TokenRequest> evaluationData(OpenModel source) {
    boolean asked = !recipe.evaluation().data().isEmpty();
    if (asked && source.architecture().isEmpty()) {
      progress.say("note: the model's family is unknown, so it is not evaluated");
    }
    return asked && source.architecture().isPresent()
        ? Optional.of(request(source, recipe.evaluation().dataSettings()))
        : Optional.empty();
  }

  private TokenRequest request(OpenModel source, DataSettings settings) {
    return log.time(
        "tokenize",
        () -> new TokenPreparation(session.sql(), store).request(settings, source.tokens()));
  }

  private TokenChunks tokens(TokenRequest request, Workspace place) {
    return log.time(
        "tokenize",
        () -> new TokenPreparation(session.sql(), store).prepare(request, place.tokens()));
  }

  /**
   * {@code config.json} as published; layers that are not stored as codes count as uncompressed.
   */
  private ObjectNode config(OpenModel source, Plan plan, List<LayerOutcome> outcomes) {
    Map<String, Scheme> schemes = new TreeMap<>();
    Set<String> uncompressed = new TreeSet<>(plan.uncompressed().keySet());
    for (LayerOutcome outcome : outcomes) {
      if (outcome.replacesWeight() && outcome.scheme().isPresent()) {
        schemes.put(outcome.module(), outcome.scheme().get());
      } else {
        uncompressed.add(outcome.module());
      }
    }
    return encoder.config(source.checkpoint().config().json(), schemes, uncompressed);
  }

  private void evaluate(TokenChunks tokens) {
    Evaluator evaluator = new Evaluator(tasks(), progress);
    log.time(
        "evaluate",
        () -> {
          Evaluation found =
              evaluator.evaluate(new ModelRef(store, output), Optional.of(model), tokens);
          log.evaluated(found);
          return found;
        });
  }

  private static void refuseFailures(List<LayerOutcome> outcomes) {
    List<LayerOutcome> failed =
        outcomes.stream().filter(outcome -> outcome.kind() == Kind.FAILED).toList();
    if (!failed.isEmpty()) {
      LayerOutcome first = failed.get(0);
      throw new NumericalException(
          "%d of %d layers failed; the first is %s: %s. Ignore these layers, allow a fallback (fallback = rtn), or mend the weights; run.json lists them all."
              .formatted(failed.size(), outcomes.size(), first.module(), first.why()));
    }
  }

  private void requireFewFallbacks(RunRecord record) {
    long fallbacks = record.totals().getOrDefault(Kind.FELL_BACK, 0L);
    if (fallbacks > recipe.run().allowedFallbacks()) {
      throw new FallbackLimitException(
          "The checkpoint is published at %s, but %d layers fell back where the recipe allows %d. See run.json for which and why; give more calibration data, or raise run.allowed-fallbacks."
              .formatted(output, fallbacks, recipe.run().allowedFallbacks()));
    }
  }
}
