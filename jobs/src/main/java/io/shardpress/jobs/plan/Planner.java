package io.shardpress.jobs.plan;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.match.ModuleMatcher;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.recipe.Step;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Architectures;
import io.shardpress.operators.model.LinearModule;
import io.shardpress.operators.model.LinearModule.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Resolves a recipe against a checkpoint's headers, and refuses what cannot work before it costs.
 */
public final class Planner {
  /** The class by which patterns name every module that the planner looks at. */
  public static final String LINEAR = "Linear";

  private final OpenModel model;
  private final Recipe recipe;
  private final Encoder encoder;
  private final Map<String, Integer> stages;

  private final List<LayerTask> layers = new ArrayList<>();
  private final List<LinearDecisions> decisions = new ArrayList<>();
  private final Map<String, String> uncompressed = new TreeMap<>();
  private final List<String> warnings = new ArrayList<>();

  private Planner(OpenModel model, Recipe recipe, Encoder encoder) {
    this.model = model;
    this.recipe = recipe;
    this.encoder = encoder;
    this.stages = stages(model);
  }

  /**
   * @throws InputException when the recipe does not fit the model: nothing to do, group sizes that
   *     do not divide, steps that need statistics of a family that cannot be run
   */
  public static Plan plan(OpenModel model, Recipe recipe, Encoder encoder) {
    return new Planner(model, recipe, encoder).plan();
  }

  private Plan plan() {
    Checkpoint checkpoint = model.checkpoint();
    if (model.isCompressed()) {
      throw new InputException(
          "%s is compressed already (its config.json has a quantization_config). Compress the original checkpoint instead."
              .formatted(checkpoint.location()));
    }
    List<LinearModule> linears =
        model
            .architecture()
            .map(Architecture::linears)
            .orElseGet(() -> LinearCatalog.byShape(checkpoint));
    model.architecture().ifPresent(this::requireVocabulary);
    linears.forEach(this::place);
    refuseWhatCannotWork();
    warnOfPatternsWithoutMatch(linears);
    Set<String> replaced = new LinkedHashSet<>();
    layers.forEach(layer -> replaced.add(layer.weight().name()));
    List<TensorSpec> copied =
        checkpoint.specs().values().stream()
            .filter(spec -> !replaced.contains(spec.name()))
            .toList();
    long sourceBytes = bytes(checkpoint.specs().values());
    return new Plan(
        model.architecture().map(Architecture::family),
        model.architecture().map(Architecture::blocks).orElse(0),
        layers,
        decisions,
        copied,
        uncompressed,
        sourceBytes,
        bytes(copied) + layers.stream().mapToLong(this::encodedBytes).sum(),
        PlannedMemory.of(model, recipe, layers),
        warnings);
  }

  private void place(LinearModule linear) {
    if (linear.role() == Role.ROUTER) {
      uncompressed.put(linear.name(), "routers stay as they are");
      decisions.add(new LinearDecisions(linear, List.of()));
      return;
    }
    List<Step.Decision> decided =
        recipe.steps().stream().map(step -> step.decide(linear.name(), LINEAR)).toList();
    decisions.add(new LinearDecisions(linear, decided));
    List<LayerStep> steps = new ArrayList<>();
    List<String> refusals = new ArrayList<>();
    for (int i = 0; i < decided.size(); i++) {
      Step.Decision decision = decided.get(i);
      if (decision.settings().isPresent()) {
        steps.add(new LayerStep(i, decision.settings().get(), decision.rule()));
      } else if (!refusals.contains(decision.rule())) {
        refusals.add(decision.rule());
      }
    }
    if (steps.isEmpty()) {
      uncompressed.put(linear.name(), String.join("; ", refusals));
      return;
    }
    TensorSpec weight = model.checkpoint().spec(linear.name() + ".weight");
    requireShape(linear, weight);
    layers.add(
        new LayerTask(
            linear.name(),
            weight,
            linear.out(),
            linear.in(),
            linear.layout(),
            linear.input(),
            stages.getOrDefault(
                linear.name(), model.architecture().map(Architecture::blocks).orElse(0)),
            linear.expert().isPresent(),
            steps));
  }

  /** The block that each linear belongs to; what is in none is the head. */
  private static Map<String, Integer> stages(OpenModel model) {
    Map<String, Integer> stages = new HashMap<>();
    model
        .architecture()
        .ifPresent(
            architecture -> {
              for (int block = 0; block < architecture.blocks(); block++) {
                for (LinearModule linear : architecture.linears(block)) {
                  stages.put(linear.name(), block);
                }
              }
            });
    return stages;
  }

  private void requireVocabulary(Architecture architecture) {
    List<Long> shape = model.checkpoint().spec(architecture.embedding()).shape();
    if (shape.size() != 2 || shape.get(0) != architecture.vocabulary()) {
      throw new InputException(
          "%s is %s, but config.json gives a vocabulary of %d tokens. Check that config.json belongs to these weights."
              .formatted(architecture.embedding(), shape, architecture.vocabulary()));
    }
  }

  private void requireShape(LinearModule linear, TensorSpec weight) {
    List<Long> expected =
        linear.layout() == LinearModule.Layout.OUT_IN
            ? List.of(linear.out(), linear.in())
            : List.of(linear.in(), linear.out());
    if (!weight.shape().equals(expected)) {
      throw new InputException(
          "%s is %s, but config.json makes it %s. Check that config.json belongs to these weights."
              .formatted(weight.name(), weight.shape(), expected));
    }
    if (!weight.dtype().isWeightFloat()) {
      throw new InputException(
          "%s is stored as %s; only F32, F16 and BF16 weights can be compressed. Convert the checkpoint, or ignore this module."
              .formatted(weight.name(), weight.dtype()));
    }
  }

  private void refuseWhatCannotWork() {
    if (layers.isEmpty()) {
      throw new InputException(
          "No linear of %s is targeted by the recipe's steps. Name targets such as [\"Linear\"], and check the ignore list."
              .formatted(model.checkpoint().location()));
    }
    for (LayerTask layer : layers) {
      StepRules.check(layer, recipe.calibration().mode());
    }
    boolean unknown = model.architecture().isEmpty();
    if (unknown && layers.stream().anyMatch(LayerTask::needsStatistics)) {
      throw new InputException(
          "The family '%s' is not one that Shardpress can run, so no statistics can be collected for it. Use data-free steps such as rtn; known families: %s."
              .formatted(
                  model.checkpoint().config().modelType(),
                  String.join(", ", Architectures.modelTypes())));
    }
    if (unknown) {
      warnings.add(
          "Unknown family '%s': linears were guessed from names and shapes; check what the plan command lists."
              .formatted(model.checkpoint().config().modelType()));
    }
  }

  /** A misspelt pattern leaves a layer as it is, or quantizes one that should have been spared. */
  private void warnOfPatternsWithoutMatch(List<LinearModule> linears) {
    Map<String, String> modules = new HashMap<>();
    linears.forEach(linear -> modules.put(linear.name(), LINEAR));
    for (int i = 0; i < recipe.steps().size(); i++) {
      Step step = recipe.steps().get(i);
      warnOfPatternsWithoutMatch("steps.%d: target".formatted(i), step.targets(), modules);
      for (Step.SettingsOverride override : step.overrides()) {
        warnOfPatternsWithoutMatch(
            "steps.%d: override's target".formatted(i), override.targets(), modules);
      }
      if (!step.ignore().equals(Step.DEFAULT_IGNORE)) {
        warnOfPatternsWithoutMatch("steps.%d: ignored name".formatted(i), step.ignore(), modules);
      }
    }
  }

  private void warnOfPatternsWithoutMatch(
      String what, ModuleMatcher patterns, Map<String, String> modules) {
    patterns
        .unmatched(modules)
        .forEach(
            pattern ->
                warnings.add(
                    "%s '%s' matches no linear of this model; is it misspelt?"
                        .formatted(what, pattern)));
  }

  private long encodedBytes(LayerTask layer) {
    return bytes(encoder.plan(layer.stored(), layer.storage()));
  }

  private static long bytes(Iterable<TensorSpec> specs) {
    long sum = 0;
    for (TensorSpec spec : specs) {
      sum += spec.bytes();
    }
    return sum;
  }
}
