package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.fixture.TinyTokens;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

@SparkTest
class CalibrationTest {
  private static final String GPTQ = "{ gptq { group-size = 16, ignore = [] } }";
  private static final ExpertPolicy POLICY = new ExpertPolicy(0, 0, StarvedExperts.FAIL);

  @TempDir private Path folder;

  @Test
  void sumsTheInputsOfEveryStageOverAllChunks(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(1), GPTQ);

    Map<String, StoredInput> observed = calibration(run).observeAll();

    Map<String, double[]> expected = grams(run, run.model().open().weights());
    assertThat(observed.keySet()).isEqualTo(expected.keySet()).hasSize(9);
    expected.forEach((input, gram) -> assertGram(run, observed.get(input), gram));
  }

  @Test
  void leavesNothingButStatistics(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(2), GPTQ);
    calibration(run).observeAll();
    assertThat(names(run, run.workspace().root())).containsExactly("statistics");
  }

  @Test
  void observesOnlyWhatIsWanted(SparkSession spark) {
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.llama(3),
            "{ gptq { group-size = 16, targets = \"re:.*0.mlp.down_proj\" } }");
    Map<String, StoredInput> observed = calibration(run).observeAll();

    assertThat(observed.keySet()).isEqualTo(run.plan().inputs(0)).hasSize(1);
    assertThat(names(run, run.statistics().folder(run.key(POLICY))))
        .as("the statistics, their mark, and what all belongs to")
        .hasSize(3);
  }

  @Test
  void sumsNoGramsForStepsThatNeedMomentsAlone(SparkSession spark) {
    TinyRun wanda =
        TinyRun.of(spark, folder, TinyCheckpoint.llama(3), "{ wanda { pattern = \"2:4\" } }");
    TinyRun gptq = wanda.planned(folder, GPTQ);

    Map<String, StoredInput> moments = calibration(wanda).observeAll();
    assertThat(names(wanda, wanda.statistics().folder(wanda.key(POLICY)))).isEmpty();
    Map<String, StoredInput> grams = calibration(gptq).observeAll();
    Map<String, StoredInput> again = calibration(wanda).observeAll();

    assertThat(moments.keySet()).isEqualTo(wanda.plan().momentsAlone()).hasSize(8);
    assertThat(grams.keySet()).containsAll(moments.keySet());
    again.forEach(
        (input, stored) ->
            assertThat(stored.folder())
                .as("%s, where there is a Gram, too", input)
                .isEqualTo(grams.get(input).folder()));
    moments.forEach(
        (input, stored) -> {
          InputStatistics alone =
              StoredStatistics.readMoments(input, stored.tensors(wanda.model().store()));
          try (InputStatistics whole =
              StoredStatistics.read(input, grams.get(input).tensors(gptq.model().store()))) {
            assertThat(alone.gram()).isEmpty();
            assertThat(alone.tokens()).isEqualTo(whole.tokens());
            assertThat(alone.sumSquares()).isEqualTo(whole.sumSquares());
            assertThat(stored.kept().bytes()).isLessThan(grams.get(input).kept().bytes());
          }
        });
  }

  @Test
  void seesTheSameInTheFirstBlockInBothModes(SparkSession spark) {
    TinyRun onePass = TinyRun.of(spark, folder, TinyCheckpoint.llama(4), GPTQ);
    TinyRun sequential = onePass.elsewhere();

    Map<String, StoredInput> all = calibration(onePass).observeAll();
    Map<String, StoredInput> first =
        calibration(sequential)
            .observe(0, sequential.plan().inputs(0), sequential.staged(List.of()), "");

    assertThat(first.keySet()).isEqualTo(onePass.plan().inputs(0));
    first.forEach((input, stored) -> assertSame(stored, all.get(input)));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 30_000})
  void givesTheSameInAsManyPassesAsTheScratchSpaceAsksFor(long scratch, SparkSession spark) {
    TinyRun whole = TinyRun.of(spark, folder, TinyCheckpoint.llama(4), GPTQ);
    TinyRun cut = whole.elsewhere();

    Map<String, StoredInput> all = calibration(whole).observeAll();
    Map<String, StoredInput> parts = cut.calibration(POLICY, scratch).observeAll();

    assertThat(parts.keySet()).isEqualTo(all.keySet());
    parts.forEach((input, stored) -> assertSame(stored, all.get(input)));
    assertThat(names(cut, cut.workspace().root())).contains("activations");
  }

  @Test
  void takesWhatIsKeptAndCollectsTheRest(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(9), GPTQ);
    Map<String, StoredInput> first = calibration(run).observeAll();
    String lost = run.plan().inputs(1).iterator().next();
    run.model()
        .store()
        .delete(first.get(lost).folder().child(SafeFileName.encode(lost) + ".mark.json"));

    Map<String, StoredInput> second = calibration(run).observeAll();

    assertThat(second.keySet()).isEqualTo(first.keySet());
    second.forEach(
        (input, stored) -> {
          assertSame(stored, first.get(input));
          assertThat(stored.equals(first.get(input)))
              .as("%s is the very file that was kept", input)
              .isEqualTo(!input.equals(lost));
        });
  }

  @Test
  void refusesStatisticsThatWereChanged(SparkSession spark) throws IOException {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(9), GPTQ);
    StoredInput one = calibration(run).observeAll().values().iterator().next();
    Path file = Path.of(one.folder().child(one.kept().files().get(0).name()).path());
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 16;
    Files.write(file, bytes);

    assertThatThrownBy(() -> calibration(run).observeAll())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("The statistics in " + one.folder() + " cannot be used")
        .hasMessageContaining("shardpress stats prune");
  }

  @Test
  void seesWhatCompressedBlocksPutOut(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(5), GPTQ);
    Calibration calibration = calibration(run);
    StagedModules before = run.staged(List.of());
    List<LayerOutcome> everything = new ArrayList<>();
    Map<String, StoredInput> statistics = new HashMap<>();
    for (int stage = 0; stage <= 2; stage++) {
      Map<String, StoredInput> observed =
          calibration.observe(
              stage, run.plan().inputs(stage), before, stage == 0 ? "" : "stage " + stage);
      assertThat(observed.keySet()).isEqualTo(run.plan().inputs(stage));
      statistics.putAll(observed);
      List<LayerOutcome> solved =
          new Compression(run.tasks(), run.progress(), run.model(), run.workspace(), run.encoder())
              .run("solve", TinyRun.steps(run.plan().layers(stage)), observed);
      everything.addAll(solved);
      before = run.staged(everything);
    }

    OpenModel open = run.model().open();
    StagedModules compressed = run.staged(everything);
    Map<String, double[]> dense = grams(run, open.weights());
    Map<String, double[]> seen = grams(run, open.with(compressed, Precision.F32));
    // What attention reads follows from the blocks before alone; further into a block, statistics
    // see its dense weights.
    String qkv =
        run.plan().layers(1).stream()
            .filter(layer -> layer.module().endsWith("q_proj"))
            .findFirst()
            .orElseThrow()
            .input();
    assertGram(run, statistics.get(qkv), seen.get(qkv));
    assertThat(seen.get(qkv)[0]).isNotEqualTo(dense.get(qkv)[0]);
  }

  /** A second step of a stage is fitted to what the first has left of it, and of those before. */
  @Test
  void seesTheStepsThatAStageHasTakenAlready(SparkSession spark) {
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.llama(5),
            "{ wanda { pattern = \"2:4\" } }, { gptq { group-size = 16 } }");
    Calibration calibration = calibration(run);
    Compression compression =
        new Compression(run.tasks(), run.progress(), run.model(), run.workspace(), run.encoder());
    OpenModel open = run.model().open();
    for (int stage = 0; stage < TinyCheckpoint.BLOCKS; stage++) {
      for (List<StepTask> tasks : Plan.byStep(run.plan().layers(stage)).values()) {
        StagedModules now = compression.staged(run.plan().layers());
        int position = tasks.get(0).position();
        String digest = stage + position == 0 ? "" : "stage %d, step %d".formatted(stage, position);

        Map<String, StoredInput> observed =
            calibration.observe(stage, Plan.inputs(tasks.stream()), now, digest);

        Map<String, double[]> expected = grams(run, open.with(now, Precision.F32));
        assertThat(observed.keySet()).isEqualTo(run.plan().inputs(stage));
        observed.forEach((input, stored) -> assertGram(run, stored, expected.get(input)));
        compression.run("solve", tasks, observed);
      }
    }
  }

  /** Partial Grams would be larger than the inputs themselves, which are kept instead. */
  @Test
  void sumsTheTilesOfAWideInputFromTheInputItself(SparkSession spark) {
    TinyRun run =
        TinyRun.of(
            spark,
            folder,
            TinyCheckpoint.wideLlama(9),
            "{ gptq { group-size = 16, targets = \"re:.*0.mlp.down_proj\" } }");
    Map<String, StoredInput> observed =
        run.calibration(POLICY, Long.MAX_VALUE, Precision.BF16).observeAll();

    String input = run.plan().layers(0).get(0).input();
    assertThat(observed.keySet()).containsExactly(input);
    assertThat(observed.get(input).kept().files()).as("tiles").hasSize(3);
    try (InputStatistics expected = accumulated(run, input);
        InputStatistics found =
            StoredStatistics.read(input, observed.get(input).tensors(run.model().store()))) {
      assertThat(found.tokens()).isEqualTo(expected.tokens());
      assertThat(found.sumAbs()).isEqualTo(expected.sumAbs());
      INDArray left = expected.gram().flatMap(Gram::matrix).orElseThrow();
      INDArray right = found.gram().flatMap(Gram::matrix).orElseThrow();
      float[] wanted = new float[found.width()];
      float[] row = new float[found.width()];
      for (int i = 0; i < found.width(); i++) {
        Floats.readRow(left, i, wanted);
        Floats.readRow(right, i, row);
        assertThat(Arrays.equals(row, wanted)).as("row %d", i).isTrue();
      }
    }
    List<LayerOutcome> solved =
        new Compression(run.tasks(), run.progress(), run.model(), run.workspace(), run.encoder())
            .run("solve", TinyRun.steps(run.plan().layers()), observed);
    assertThat(solved).extracting(LayerOutcome::kind).containsExactly(LayerOutcome.Kind.COMPRESSED);
  }

  /** The statistics of one input as partial Grams would give them. */
  private static InputStatistics accumulated(TinyRun run, String wanted) {
    OpenModel open = run.model().open();
    WeightSource weights = open.weights(Precision.BF16);
    List<InputStatistics> parts = new ArrayList<>();
    for (int chunk = 0; chunk < run.tokens().chunks(); chunk++) {
      int length = run.tokens().length();
      try (INDArray hidden =
              open.requireArchitecture().embed(run.tokens().readChunk(chunk), length, weights);
          StatisticsAccumulator sums =
              new StatisticsAccumulator(wanted, TinyCheckpoint.WIDE, StatisticsNeed.GRAM)) {
        Stages.run(
            open,
            0,
            hidden,
            length,
            weights,
            (input, x) -> {
              if (input.equals(wanted)) {
                sums.observe(x);
              }
            });
        parts.add(sums.finish());
      }
    }
    try {
      return InputStatistics.fold(parts);
    } finally {
      parts.forEach(InputStatistics::close);
    }
  }

  @Test
  void dropsActivationsThatNoStageNeedsAnyMore(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(6), GPTQ);
    Calibration calibration = calibration(run);
    calibration.observe(0, run.plan().inputs(0), run.staged(List.of()), "");
    calibration.observe(1, run.plan().inputs(1), run.staged(List.of()), "a");
    assertThat(names(run, run.workspace().activations(1))).as("chunks and a mark").hasSize(4 + 1);
    calibration.observe(2, run.plan().inputs(2), run.staged(List.of()), "b");

    assertThat(names(run, run.workspace().activations(1))).isEmpty();
    assertThat(names(run, run.workspace().activations(2))).hasSize(4 + 1);
  }

  @Test
  void goesOnFromTheActivationsOfAnEarlierAttempt(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(6), GPTQ);
    TinyRun whole = run.elsewhere();
    Calibration uninterrupted = calibration(whole);
    uninterrupted.observe(0, whole.plan().inputs(0), whole.staged(List.of()), "");
    uninterrupted.observe(1, whole.plan().inputs(1), whole.staged(List.of()), "a");
    Map<String, StoredInput> expected =
        uninterrupted.observe(2, whole.plan().inputs(2), whole.staged(List.of()), "b");
    Calibration killed = calibration(run);
    killed.observe(0, run.plan().inputs(0), run.staged(List.of()), "");
    killed.observe(1, run.plan().inputs(1), run.staged(List.of()), "a");

    Calibration again = calibration(run);
    again.resume();
    Map<String, StoredInput> found =
        again.observe(2, run.plan().inputs(2), run.staged(List.of()), "b");

    found.forEach((input, stored) -> assertSame(stored, expected.get(input)));
    assertThat(found.keySet()).isEqualTo(expected.keySet());
  }

  @Test
  void refusesActivationsThatWereChanged(SparkSession spark) throws IOException {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(6), GPTQ);
    Calibration killed = calibration(run);
    killed.observe(0, run.plan().inputs(0), run.staged(List.of()), "");
    killed.observe(1, run.plan().inputs(1), run.staged(List.of()), "a");
    Path chunk =
        Path.of(run.workspace().activations(1).path())
            .resolve(names(run, run.workspace().activations(1)).get(0));
    byte[] bytes = Files.readAllBytes(chunk);
    bytes[bytes.length / 2] ^= 1;
    Files.write(chunk, bytes);

    assertThatThrownBy(() -> calibration(run).resume())
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining(chunk.getFileName().toString());
  }

  @Test
  void passesStagesWhoseStatisticsAreKept(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(7), GPTQ);
    TinyRun other = run.elsewhere();
    calibration(run).observe(0, run.plan().inputs(0), run.staged(List.of()), "");
    Map<String, StoredInput> expected =
        calibration(run).observe(1, run.plan().inputs(1), run.staged(List.of()), "a");
    List<LayerOutcome> none = List.of();
    // Stage 1 of the other run is not observed, because nothing was kept before it.
    Map<String, StoredInput> found =
        calibration(other).observe(1, other.plan().inputs(1), other.staged(none), "a");

    found.forEach((input, stored) -> assertSame(stored, expected.get(input)));
  }

  private static Calibration calibration(TinyRun run) {
    return run.calibration(POLICY);
  }

  /** The Gram of every planned input in F64, from one forward pass over all tokens. */
  private static Map<String, double[]> grams(TinyRun run, WeightSource weights) {
    OpenModel open = run.model().open();
    Architecture architecture = open.requireArchitecture();
    Map<String, double[]> grams = new HashMap<>();
    Set<String> wanted = new TreeSet<>();
    for (int stage = 0; stage <= architecture.blocks(); stage++) {
      wanted.addAll(run.plan().inputs(stage));
    }
    for (int chunk = 0; chunk < run.tokens().chunks(); chunk++) {
      int length = run.tokens().length();
      INDArray hidden = architecture.embed(run.tokens().readChunk(chunk), length, weights);
      for (int stage = 0; stage <= architecture.blocks(); stage++) {
        Stages.run(
            open,
            stage,
            hidden,
            length,
            weights,
            (input, x) -> {
              if (wanted.contains(input)) {
                addGram(grams, input, x);
              }
            });
      }
      hidden.close();
    }
    return grams;
  }

  private static void addGram(Map<String, double[]> grams, String input, INDArray x) {
    int n = Floats.columns(x);
    float[] values = Floats.toArray(x);
    double[] gram = grams.computeIfAbsent(input, unused -> new double[n * n]);
    for (int row = 0; row < Floats.rows(x); row++) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          gram[i * n + j] += (double) values[row * n + i] * values[row * n + j];
        }
      }
    }
  }

  private static void assertGram(TinyRun run, StoredInput stored, double[] expected) {
    String input = stored.kept().input();
    try (InputStatistics statistics =
        StoredStatistics.read(input, stored.tensors(run.model().store()))) {
      assertThat(statistics.tokens())
          .as(input)
          .isEqualTo((long) TinyRun.SEQUENCES * TinyTokens.LENGTH);
      float[] found = Floats.toArray(statistics.gram().flatMap(Gram::matrix).orElseThrow());
      double scale = 0;
      for (int i = 0; i < statistics.width(); i++) {
        scale = Math.max(scale, expected[i * statistics.width() + i]);
      }
      for (int i = 0; i < found.length; i++) {
        assertThat(Math.abs(found[i] - expected[i])).as(input).isLessThan(1e-5 * scale);
      }
    }
  }

  private static void assertSame(StoredInput one, StoredInput other) {
    assertThat(one.kept().files())
        .as(one.kept().input())
        .extracting(PublishedFile::sha256)
        .isEqualTo(other.kept().files().stream().map(PublishedFile::sha256).toList());
  }

  private static List<String> names(TinyRun run, Location folder) {
    return run.model().store().list(folder).stream().map(Store.Entry::name).toList();
  }
}
