package io.shardpress.jobs.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.FallbackLimitException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.assemble.OutputShard;
import io.shardpress.jobs.assemble.OutputTensors;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.TokenChunks;
import io.shardpress.jobs.data.TokenPreparation;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.evaluate.Evaluator;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.report.RunLog;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.quantization.Scheme;
import java.time.Instant;
import java.util.HashMap;
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
 * <p>Work is done in a workspace beside the output, which is removed at the end; nothing but {@code
 * run.json} stays behind when the run fails.
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
  private final Workspace workspace;
  private final RunLog log;

  /**
   * @param output an empty or absent folder
   */
  public CompressJob(Session session, Progress progress, Recipe recipe, Location output) {
    this(session, progress, recipe, output, Existing.REFUSE);
  }

  /**
   * @param output where to publish; not the model's folder, nor above or below it
   * @param existing what becomes of an earlier run's checkpoint there
   */
  public CompressJob(
      Session session, Progress progress, Recipe recipe, Location output, Existing existing) {
    this.session = session;
    this.store = session.store();
    this.progress = progress;
    this.recipe = recipe;
    this.model = new ModelRef(store, Location.of(recipe.model()));
    this.output = output;
    this.encoder = recipe.output().format().encoder();
    this.publisher = new Publisher(store, output, existing);
    UUID run = UUID.randomUUID();
    this.workspace = Workspace.beside(output, run);
    this.log = new RunLog(run, recipe, session.application(), Instant.now());
  }

  /**
   * Runs the job and returns what {@code run.json} holds.
   *
   * @throws FallbackLimitException when the checkpoint is published, but more layers fell back than
   *     the recipe allows
   */
  public RunRecord run() {
    requireApartFromModel();
    publisher.claim(log.running(), workspace);
    RunRecord record;
    try {
      record = compress();
    } catch (RuntimeException e) {
      publisher.withdraw(log.failed(String.valueOf(e.getMessage())), e);
      throw e;
    } finally {
      removeStaging();
    }
    requireFewFallbacks(record);
    return record;
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

  /** What cannot be removed is only in the way; the run has ended as it has. */
  private void removeStaging() {
    Location staging = output.child(Workspace.STAGING);
    try {
      store.delete(staging);
    } catch (ShardpressException e) {
      progress.say("note: %s could not be removed: %s".formatted(staging, e.getMessage()));
    }
  }

  private RunRecord compress() {
    OpenModel source = log.time("plan", model::openWhole);
    Plan plan = log.time("plan", () -> Planner.plan(source, recipe, encoder));
    log.planned(source.checkpoint(), plan);
    plan.warnings().forEach(warning -> progress.say("note: " + warning));
    Optional<TokenChunks> calibration =
        plan.needsStatistics() ? Optional.of(calibrationTokens(source)) : Optional.empty();
    Optional<TokenChunks> evaluation = evaluationTokens(source);

    List<LayerOutcome> outcomes = solve(plan, calibration);
    log.solved(outcomes);
    refuseFailures(outcomes);

    List<OutputShard> shards = shards(source, plan, outcomes);
    log.time(
        "assemble",
        () -> {
          publisher.makeRoom(log.running());
          publisher.writeShards(shards, tasks(), progress);
          publisher.writeCompanions(source.checkpoint(), config(source, plan, outcomes));
          return shards;
        });
    log.assembled(shards.stream().mapToLong(OutputShard::bytes).sum());
    evaluation.ifPresent(this::evaluate);
    RunRecord record = log.complete(publisher.files());
    publisher.writeCosts(log.costs());
    publisher.commit(record);
    return record;
  }

  private List<LayerOutcome> solve(Plan plan, Optional<TokenChunks> tokens) {
    Solving solving = new Solving(tasks(), progress, model, workspace, encoder, plan, log);
    return tokens
        .map(chunks -> solving.withData(recipe.calibration(), chunks))
        .orElseGet(solving::withoutData);
  }

  private Tasks tasks() {
    return session.tasks(recipe.run().kernels(), log.tasks());
  }

  private TokenChunks calibrationTokens(OpenModel source) {
    if (recipe.calibration().data().isEmpty()) {
      throw new InputException(
          "The recipe's steps need calibration data, and calibration.data names none. Set it to"
              + " text, JSON lines, Parquet or token ids, or use a data-free step such as rtn.");
    }
    return tokens(source, recipe.calibration().dataSettings());
  }

  private Optional<TokenChunks> evaluationTokens(OpenModel source) {
    boolean asked = !recipe.evaluation().data().isEmpty();
    if (asked && source.architecture().isEmpty()) {
      progress.say("note: the model's family is unknown, so it is not evaluated");
    }
    return asked && source.architecture().isPresent()
        ? Optional.of(tokens(source, recipe.evaluation().dataSettings()))
        : Optional.empty();
  }

  private TokenChunks tokens(OpenModel source, DataSettings settings) {
    return log.time(
        "tokenize",
        () ->
            new TokenPreparation(session.sql(), store)
                .prepare(settings, source.tokens(), workspace.tokens()));
  }

  private List<OutputShard> shards(OpenModel source, Plan plan, List<LayerOutcome> outcomes) {
    Map<String, TensorSpec> weights = new HashMap<>();
    for (LayerTask layer : plan.layers()) {
      weights.put(layer.module(), layer.weight());
    }
    return OutputShard.plan(
        OutputTensors.of(source.checkpoint(), weights, outcomes, workspace),
        recipe.output().maxShardSize().bytes());
  }

  /** {@code config.json} as published; layers that were copied after all count as uncompressed. */
  private ObjectNode config(OpenModel source, Plan plan, List<LayerOutcome> outcomes) {
    Map<String, Scheme> schemes = new TreeMap<>();
    Set<String> uncompressed = new TreeSet<>(plan.uncompressed().keySet());
    for (LayerOutcome outcome : outcomes) {
      if (outcome.replacesWeight()) {
        schemes.put(outcome.module(), outcome.scheme());
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
