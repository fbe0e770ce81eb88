package io.shardpress.jobs.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.compression.Settings;
import io.shardpress.operators.compression.SparseGpt;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

@SparkTest
class CompressionTest {
  private static final String RTN = "{ rtn { group-size = 16 } }";
  private static final String GPTQ = "{ gptq { group-size = 16 } }";

  @TempDir private Path folder;

  @Test
  void compressesEveryLayerAndReturnsOutcomesInOrder(SparkSession spark) throws IOException {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(1), RTN);

    List<LayerOutcome> outcomes = compress(run, run.plan().layers(), Map.of());

    assertThat(outcomes)
        .extracting(LayerOutcome::module)
        .containsExactlyElementsOf(run.plan().layers().stream().map(LayerTask::module).toList());
    for (int i = 0; i < outcomes.size(); i++) {
      LayerOutcome outcome = outcomes.get(i);
      LayerTask layer = run.plan().layers().get(i);
      assertThat(outcome.kind()).isEqualTo(Kind.COMPRESSED);
      assertThat(outcome.why()).isEmpty();
      assertThat(outcome.method()).isEqualTo("rtn");
      assertThat(outcome.tensors()).isEqualTo(run.encoder().plan(layer.stored(), layer.storage()));
      assertThat(outcome.relativeLoss()).isNaN();
      assertThat(outcome.weightNmse()).isBetween(1e-4, 0.02);
      assertThat(outcome.seconds()).isPositive();
      assertThat(outcome.files()).hasSize(1);
      byte[] file = Files.readAllBytes(file(run, outcome));
      assertThat(Sha256.of(file)).isEqualTo(outcome.files().get(0).file().sha256());
    }
  }

  @Test
  void storesWhatTheForwardPassDecodes(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.gpt2(2), RTN);
    List<LayerOutcome> outcomes = compress(run, run.plan().layers(), Map.of());
    StagedModules staged = run.staged(outcomes);

    WeightSource dense = run.model().open().weights();
    WeightSource compressed = run.model().open().with(staged, Precision.F32);
    for (LayerOutcome outcome : outcomes) {
      try (INDArray before = dense.matrix(outcome.module() + ".weight");
          INDArray after = compressed.matrix(outcome.module() + ".weight")) {
        assertThat(relativeError(before, after))
            .as(outcome.module() + ", in the layout of Conv1D")
            .isCloseTo(outcome.weightNmse(), within(1e-4));
      }
    }
  }

  @Test
  void givesTheSameBytesWhateverIsSolvedBeside(SparkSession spark) {
    TinyRun all = TinyRun.of(spark, folder, TinyCheckpoint.llama(3), GPTQ);
    TinyRun single = all.elsewhere();
    Map<String, StoredInput> observed = calibrate(all, StarvedExperts.FAIL, 0);
    calibrate(single, StarvedExperts.FAIL, 0);

    List<LayerOutcome> together = compress(all, all.plan().layers(), observed);

    for (int i = 0; i < together.size(); i++) {
      LayerTask layer = single.plan().layers().get(i);
      LayerOutcome alone = compress(single, List.of(layer), observed).get(0);
      assertThat(alone.files().get(0).file().sha256())
          .as(layer.module())
          .isEqualTo(together.get(i).files().get(0).file().sha256());
    }
  }

  @Test
  void reportsTheLossWhereThereAreStatistics(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(4), GPTQ);
    Map<String, StoredInput> observed = calibrate(run, StarvedExperts.FAIL, 0);

    for (LayerOutcome outcome : compress(run, run.plan().layers(), observed)) {
      assertThat(outcome.method()).isEqualTo("gptq");
      assertThat(outcome.relativeLoss()).isBetween(1e-6, 0.05);
      assertThat(outcome.damping()).isEqualTo(0.01);
      assertThat(outcome.tokens()).isEqualTo(run.tokens().tokens());
    }
  }

  @Test
  void roundsStarvedExpertsAndCountsThemAsFallbacks(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.mixtral(5), GPTQ);
    Map<String, StoredInput> observed = calibrate(run, StarvedExperts.FALL_BACK, 1);

    List<LayerOutcome> outcomes = compress(run, run.plan().layers(), observed);

    String idle = "experts." + TinyCheckpoint.IDLE_EXPERT + ".";
    assertThat(outcomes)
        .filteredOn(outcome -> outcome.module().contains(idle))
        .hasSize(2 * 3)
        .allSatisfy(
            outcome -> {
              assertThat(outcome.kind()).isEqualTo(Kind.FELL_BACK);
              assertThat(outcome.method()).isEqualTo("rtn");
              assertThat(outcome.why()).isEqualTo("too few calibration tokens reached this expert");
              assertThat(outcome.replacesWeight()).isTrue();
              assertThat(outcome.tokens()).isZero();
            });
    assertThat(outcomes)
        .filteredOn(outcome -> !outcome.module().contains(idle))
        .isNotEmpty()
        .allMatch(outcome -> outcome.kind() == Kind.COMPRESSED)
        .allMatch(outcome -> outcome.method().equals("gptq"));
  }

  @Test
  void recordsALayerThatFails(SparkSession spark) {
    String broken = TinyCheckpoint.layer(0, "mlp.up_proj");
    TinyRun run =
        TinyRun.of(
            spark, folder, TinyCheckpoint.llama(6).value(broken + ".weight", 7, Float.NaN), RTN);

    List<LayerOutcome> outcomes = compress(run, run.plan().layers(), Map.of());

    assertThat(outcomes).filteredOn(outcome -> outcome.kind() == Kind.FAILED).hasSize(1);
    LayerOutcome failed =
        outcomes.stream()
            .filter(outcome -> outcome.module().equals(broken))
            .findFirst()
            .orElseThrow();
    assertThat(failed.why()).startsWith("NONFINITE_WEIGHT: ");
    assertThat(failed.tensors()).isEmpty();
    assertThat(failed.files()).isEmpty();
    assertThat(run.model().store().list(run.workspace().marks()))
        .as("what failed is not marked as done")
        .hasSize(outcomes.size() - 1);
  }

  @Test
  void leavesALayerThatIsToBeCopied(SparkSession spark) {
    String broken = TinyCheckpoint.layer(0, "mlp.up_proj");
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.llama(7).value(broken + ".weight", 7, Float.POSITIVE_INFINITY),
            "{ rtn { group-size = 16, nonfinite = copy-unchanged, targets = \"re:.*0.mlp.up\" } }");

    LayerOutcome copied = compress(run, run.plan().layers(), Map.of()).get(0);

    assertThat(copied.kind()).isEqualTo(Kind.COPIED);
    assertThat(copied.why()).isNotEmpty();
    assertThat(copied.replacesWeight()).isFalse();
  }

  @Test
  void takesOverWhatAnEarlierAttemptFinished(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(8), RTN);
    List<LayerTask> layers = run.plan().layers();
    List<LayerOutcome> first = compress(run, layers.subList(0, 5), Map.of());

    Compression again = compression(run);
    again.resume();
    List<LayerOutcome> all = again.run("compress", TinyRun.steps(layers), Map.of());

    assertThat(again.resumed()).isEqualTo(5);
    assertThat(all.subList(0, 5)).as("seconds and all").isEqualTo(first);
    assertThat(all).hasSameSizeAs(layers).allMatch(outcome -> outcome.kind() == Kind.COMPRESSED);
    assertThat(run.model().store().list(run.workspace().layers())).hasSameSizeAs(layers);
  }

  @Test
  void takesOverTheStepsThatAnEarlierAttemptFinished(SparkSession spark) {
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.llama(8),
            "{ magnitude { sparsity = 0.5, scope = global } }, " + RTN);
    List<LayerTask> layers = run.plan().layers();
    List<StepTask> first = Plan.byStep(layers).get(0);
    List<StepTask> second = Plan.byStep(layers).get(1);
    Compression killed = compression(run);
    killed.survey(first, Map.of());
    killed.run("step 1", first, Map.of());
    List<LayerOutcome> some = killed.run("step 2", second.subList(0, 3), Map.of());

    Compression again = compression(run);
    again.resume();
    again.survey(first, Map.of());
    again.run("step 1", first, Map.of());
    List<LayerOutcome> all = again.run("step 2", second, Map.of());

    assertThat(again.resumed()).isEqualTo(3);
    assertThat(all.subList(0, 3)).as("seconds and all").isEqualTo(some);
    assertThat(all)
        .allMatch(outcome -> outcome.method().equals("rtn"))
        .allMatch(outcome -> outcome.earlier().get(0).method().equals("magnitude"))
        .allMatch(outcome -> outcome.sparsity() >= outcome.earlier().get(0).sparsity());
    assertThat(run.model().store().list(run.workspace().layers())).hasSize(2 * layers.size());
  }

  /** What a survey decides is part of what tasks share, and so of the key that they wait by. */
  @Test
  void tasksAskForTheMemoryOfWhatTheyPrepare(SparkSession spark) {
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.llama(8),
            "{ sparsegpt { sparsity = 0.5, budget = owl } }");
    StepTask task = TinyRun.steps(run.plan().layers()).get(0);
    Settings decided = ((SparseGpt) task.settings()).withSparsity(0.4);
    RowSlice rows = task.layer().slices().get(0);
    SolveSlices work =
        new SolveSlices(
            run.model(),
            run.workspace(),
            run.encoder(),
            List.of(new SolveSlices.Slice(new StepWeights(task, rows, List.of()), decided)),
            List.of());
    assertThat(work.memory().shared().orElseThrow().key())
        .isEqualTo(task.sharedKey(run.workspace().root() + " []", decided))
        .contains(decided.toString());
  }

  @Test
  void keepsTheFirstOfTwoEqualResults(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(9), RTN);
    List<LayerTask> one = run.plan().layers().subList(0, 1);

    LayerOutcome first = compress(run, one, Map.of()).get(0);
    LayerOutcome second = compress(run, one, Map.of()).get(0);

    assertThat(second).isEqualTo(first);
    assertThat(run.model().store().list(run.workspace().layers()))
        .extracting(Store.Entry::name)
        .containsExactly(first.files().get(0).file().name());
  }

  @Test
  void refusesFilesThatAreNotAsTheyWereMarked(SparkSession spark) throws IOException {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(10), RTN);
    LayerOutcome outcome = compress(run, run.plan().layers().subList(0, 1), Map.of()).get(0);
    byte[] bytes = Files.readAllBytes(file(run, outcome));
    bytes[bytes.length - 1] ^= 1;
    Files.write(file(run, outcome), bytes);

    Compression again = compression(run);
    assertThatThrownBy(again::resume)
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining(outcome.files().get(0).file().name() + " has SHA-256 ")
        .hasMessageContaining("Add --restart to start anew.");
  }

  @Test
  void refusesAMarkThatWasChangedAndIgnoresOneThatWasNotFinished(SparkSession spark)
      throws IOException {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(11), RTN);
    compress(run, run.plan().layers().subList(0, 2), Map.of());
    List<Path> marks =
        run.model().store().list(run.workspace().marks()).stream()
            .map(entry -> Path.of(run.workspace().marks().child(entry.name()).path()))
            .toList();
    String text = Files.readString(marks.get(0));
    Files.writeString(marks.get(0), text.substring(0, text.length() / 2));

    Compression again = compression(run);
    again.resume();
    again.run("compress", TinyRun.steps(run.plan().layers().subList(0, 2)), Map.of());
    assertThat(again.resumed()).isEqualTo(1);

    String whole = Files.readString(marks.get(0));
    Files.writeString(marks.get(0), whole.replace("\"tokens\":0", "\"tokens\":1"));
    Compression third = compression(run);
    assertThatThrownBy(third::resume)
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining("was changed after it was written");
  }

  private static Path file(TinyRun run, LayerOutcome outcome) {
    return Path.of(run.workspace().layers().child(outcome.files().get(0).file().name()).path());
  }

  private static Compression compression(TinyRun run) {
    return new Compression(
        run.tasks(), run.progress(), run.model(), run.workspace(), run.encoder());
  }

  private static List<LayerOutcome> compress(
      TinyRun run, List<LayerTask> layers, Map<String, StoredInput> observed) {
    return compression(run).run("compress", TinyRun.steps(layers), observed);
  }

  private static Map<String, StoredInput> calibrate(
      TinyRun run, StarvedExperts starved, long minimum) {
    return run.calibration(new ExpertPolicy(minimum, 0, starved)).observeAll();
  }

  private static double relativeError(INDArray expected, INDArray found) {
    float[] left = Floats.toArray(expected);
    float[] right = Floats.toArray(found);
    double error = 0;
    double energy = 0;
    for (int i = 0; i < left.length; i++) {
      error += (left[i] - right[i]) * (double) (left[i] - right[i]);
      energy += left[i] * (double) left[i];
    }
    return error / energy;
  }
}
