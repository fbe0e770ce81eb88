package io.shardpress.jobs.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.compress.Compression;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.StagedModules;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.fixture.TinyTokens;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.recipe.ExpertPolicy;
import io.shardpress.jobs.recipe.StarvedExperts;
import io.shardpress.jobs.storage.StatisticsFiles;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.model.Architecture;
import io.shardpress.operators.model.Precision;
import io.shardpress.operators.model.WeightSource;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsAccumulator;
import io.shardpress.operators.statistics.StatisticsNeed;
import io.shardpress.operators.statistics.StoredStatistics;
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
import org.nd4j.linalg.api.ndarray.INDArray;

@SparkTest
class CalibrationTest {
  private static final String GPTQ = "{ gptq { group-size = 16, ignore = [] } }";
  private static final ExpertPolicy POLICY = new ExpertPolicy(0, 0, StarvedExperts.FAIL);

  @TempDir private Path folder;

  @Test
  void sumsTheInputsOfEveryStageOverAllChunks(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(1), GPTQ);

    Set<String> observed = calibration(run).observeAll();

    Map<String, double[]> expected = grams(run, run.model().open().weights());
    assertThat(observed).containsExactlyInAnyOrderElementsOf(expected.keySet()).hasSize(9);
    expected.forEach((input, gram) -> assertGram(run, input, gram));
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
    Set<String> observed = calibration(run).observeAll();

    assertThat(observed).isEqualTo(run.plan().inputs(0)).hasSize(1);
    assertThat(names(run, run.workspace().root().child("statistics"))).hasSize(1);
  }

  @Test
  void seesTheSameInTheFirstBlockInBothModes(SparkSession spark) {
    TinyRun onePass = TinyRun.of(spark, folder, TinyCheckpoint.llama(4), GPTQ);
    TinyRun sequential = onePass.elsewhere();

    calibration(onePass).observeAll();
    Set<String> first = calibration(sequential).observe(0, staged(sequential, List.of()));

    assertThat(first).isEqualTo(onePass.plan().inputs(0));
    first.forEach(input -> assertSameStatistics(onePass, sequential, input));
  }

  @Test
  void seesWhatCompressedBlocksPutOut(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(5), GPTQ);
    Calibration calibration = calibration(run);
    StagedModules before = staged(run, List.of());
    for (int stage = 0; stage <= 2; stage++) {
      Set<String> observed = calibration.observe(stage, before);
      assertThat(observed).isEqualTo(run.plan().inputs(stage));
      List<LayerOutcome> solved =
          new Compression(run.tasks(), run.progress(), run.model(), run.workspace(), run.encoder())
              .run("solve", run.plan().layers(stage), observed);
      before = staged(run, solved);
    }

    Map<String, LayerTask> all = new HashMap<>();
    run.plan().layers().forEach(layer -> all.put(layer.module(), layer));
    OpenModel open = run.model().open();
    StagedModules compressed =
        new StagedModules(run.model().store(), run.workspace(), run.encoder(), new HashMap<>(all));
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
    assertGram(run, qkv, seen.get(qkv));
    assertThat(seen.get(qkv)[0]).isNotEqualTo(dense.get(qkv)[0]);
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
    Set<String> observed = calibration(run, Precision.BF16).observeAll();

    String input = run.plan().layers(0).get(0).input();
    assertThat(observed).containsExactly(input);
    assertThat(names(run, run.workspace().root().child("statistics")))
        .containsExactlyInAnyOrderElementsOf(StatisticsFiles.of(input, TinyCheckpoint.WIDE))
        .hasSize(4);
    try (InputStatistics expected = accumulated(run, input);
        InputStatistics found = read(run, input)) {
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
            .run("solve", run.plan().layers(), observed);
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
              new StatisticsAccumulator(wanted, width(run, wanted), StatisticsNeed.GRAM)) {
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
    calibration.observe(0, staged(run, List.of()));
    assertThat(names(run, run.workspace().activations(0))).hasSize(4);
    calibration.observe(1, staged(run, List.of()));

    assertThat(names(run, run.workspace().activations(0))).isEmpty();
    assertThat(names(run, run.workspace().activations(1))).hasSize(4);
  }

  @Test
  void doesNotDependOnTheOrderInWhichChunksAreDone(SparkSession spark) {
    TinyRun byOne = TinyRun.of(spark, folder, TinyCheckpoint.llama(7), GPTQ);
    TinyRun byTwo = byOne.elsewhere();
    List<Set<String>> wanted = List.of(byOne.plan().inputs(0), Set.of(), Set.of());

    for (int chunk = byOne.tokens().chunks() - 1; chunk >= 0; chunk--) {
      new ObserveAllStages(
              byOne.model(),
              Precision.F32,
              byOne.workspace(),
              byOne.tokens(),
              chunk,
              wanted,
              Set.of())
          .run();
    }
    for (String input : wanted.get(0)) {
      int width = width(byOne, input);
      FoldTile.of(
              byOne.model().store(),
              byOne.workspace(),
              byOne.workspace().statistics(input).parent(),
              input,
              width,
              0,
              byOne.tokens().chunks())
          .forEach(FoldTile::run);
    }
    calibration(byTwo).observeAll();

    wanted.get(0).forEach(input -> assertSameStatistics(byOne, byTwo, input));
  }

  @Test
  void startsAnewBehindAnAttemptThatWasKilled(SparkSession spark) {
    TinyRun run = TinyRun.of(spark, folder, TinyCheckpoint.llama(8), GPTQ);
    Set<String> wanted = run.plan().inputs(0);
    Location torn = run.workspace().activations(0, 0);
    TensorFiles.write(run.model().store(), torn, List.of());

    new ObserveStage(
            run.model(),
            Precision.F32,
            run.workspace(),
            run.tokens(),
            0,
            0,
            staged(run, List.of()),
            wanted,
            Set.of())
        .run();

    try (INDArray kept = Activations.read(run.model().store(), torn)) {
      assertThat(Floats.rows(kept)).isEqualTo(2 * TinyTokens.LENGTH);
    }
  }

  private static Calibration calibration(TinyRun run) {
    return calibration(run, Precision.F32);
  }

  private static Calibration calibration(TinyRun run, Precision precision) {
    return new Calibration(
        run.tasks(),
        run.progress(),
        run.model(),
        run.workspace(),
        run.plan(),
        run.tokens(),
        precision,
        POLICY);
  }

  private static StagedModules staged(TinyRun run, List<LayerOutcome> solved) {
    Map<String, LayerTask> layers = new HashMap<>();
    run.plan().layers().forEach(layer -> layers.put(layer.module(), layer));
    Map<String, LayerTask> staged = new HashMap<>();
    solved.forEach(outcome -> staged.put(outcome.module(), layers.get(outcome.module())));
    return new StagedModules(run.model().store(), run.workspace(), run.encoder(), staged);
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

  private static void assertGram(TinyRun run, String input, double[] expected) {
    try (InputStatistics statistics = read(run, input)) {
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

  private static InputStatistics read(TinyRun run, String input) {
    return StoredStatistics.read(
        input,
        StatisticsFiles.sources(
            run.model().store(),
            run.workspace().statistics(input).parent(),
            input,
            width(run, input)));
  }

  private static int width(TinyRun run, String input) {
    return Math.toIntExact(
        run.plan().layers().stream()
            .filter(layer -> layer.input().equals(input))
            .findFirst()
            .orElseThrow()
            .in());
  }

  private static void assertSameStatistics(TinyRun left, TinyRun right, String input) {
    Map<String, RawTensor> one =
        TensorFiles.read(left.model().store(), left.workspace().statistics(input));
    Map<String, RawTensor> other =
        TensorFiles.read(right.model().store(), right.workspace().statistics(input));
    assertThat(other.keySet()).isEqualTo(one.keySet());
    one.forEach(
        (name, tensor) -> assertThat(other.get(name).data()).as(name).isEqualTo(tensor.data()));
  }

  private static List<String> names(TinyRun run, Location folder) {
    return run.model().store().list(folder).stream().map(Store.Entry::name).toList();
  }
}
