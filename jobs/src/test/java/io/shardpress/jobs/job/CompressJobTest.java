package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.FallbackLimitException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.NumericalException;
import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.error.UsageException;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.costs.JobCosts;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.costs.RunCostsReader;
import io.shardpress.jobs.costs.StageCosts;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.SparkTest;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.fixture.TinyRun;
import io.shardpress.jobs.fixture.TinyTokens;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.resume.UnfinishedRuns.Earlier;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.statistics.StoredInput;
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.linalg.KernelChoice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SparkTest
class CompressJobTest {
  private static final String RTN = "steps = [ { rtn { group-size = 16 } } ]\n";
  private static final String GPTQ = "steps = [ { gptq { group-size = 16 } } ]\n";

  @TempDir private Path folder;
  private Session session;
  private Path model;
  private Path output;

  @BeforeEach
  void start(SparkSession running) {
    assertThat(running).isNotNull();
    session = Session.start(Map.of()); // the one that runs; JUnit closes it
    model = folder.resolve("model");
    output = folder.resolve("out");
  }

  @Test
  void publishesACheckpointThatVerifiesAndEvaluates() throws IOException {
    TinyCheckpoint.llama(1).write(model);
    RunRecord record = compress(RTN);

    assertThat(files(output))
        .containsExactly(
            "_SUCCESS.json",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "run.json",
            "tasks.json");
    assertThat(record.totals()).containsOnlyKeys(Kind.COMPRESSED).containsValue(14L);
    assertThat(record.sizes().orElseThrow().outputBytes())
        .isLessThan(record.sizes().orElseThrow().sourceBytes() / 2);
    assertThat(record.seconds().keySet()).containsExactly("plan", "compress", "assemble");
    assertThat(verify(Optional.of(at(model)))).startsWith("verified 5 files; 7 tensors equal");
    assertThat(verify(Optional.empty())).startsWith("verified 5 files, ");

    EvaluationReport report =
        new EvaluateJob(session, TinyRun.quiet(), KernelChoice.AUTO)
            .run(at(output), Optional.of(at(model)), recipe(evaluation()).evaluation());
    assertThat(report.evaluation().windows()).isEqualTo(4);
    assertThat(report.evaluation().reference().orElseThrow().mean()).isBetween(1e-6, 1.0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void calibratesEitherWay(String mode) throws IOException {
    TinyCheckpoint.mixtral(2).write(model);
    RunRecord record =
        compress(GPTQ + calibration() + "calibration.mode = " + mode + "\n" + evaluation());

    assertThat(record.totals()).containsOnlyKeys(Kind.COMPRESSED);
    assertThat(record.calibrationDigest()).isPresent();
    assertThat(record.experts()).hasSize(2 * 2 * TinyCheckpoint.EXPERTS);
    assertThat(record.evaluation().orElseThrow().windows()).isEqualTo(4);
    assertThat(files(output)).doesNotContain("_staging");
    checkCosts(mode, RunCostsReader.read(session.store(), at(output)));
  }

  private static void checkCosts(String mode, RunCosts costs) {
    List<String> stages = costs.stages().stream().map(StageCosts::stage).toList();
    List<String> kinds =
        costs.stages().stream()
            .flatMap(stage -> stage.jobs().stream())
            .map(JobCosts::kind)
            .distinct()
            .toList();
    boolean sequential = mode.equals("sequential");
    assertThat(stages.stream().filter("calibrate"::equals)).hasSize(sequential ? 2 : 1);
    assertThat(kinds)
        .containsExactly(
            "HashPiece",
            sequential ? "ObserveStage" : "ObserveStages",
            "FoldTile",
            "SolveSlices",
            "AssembleShard",
            "ScoreChunk");
    assertThat(costs.blocks()).isEqualTo(2);
    assertThat(costs.coresPerExecutor()).isEqualTo(2);
    assertThat(costs.sequences()).isPositive();
  }

  @Test
  void computesWithTheKernelsOfTheRecipe() {
    TinyCheckpoint.llama(1).write(model);
    RunRecord record = compress(GPTQ + calibration() + "run.kernels = java");

    assertThat(record.versions()).containsEntry("kernels", "java loops, 1 thread per call");
    assertThat(record.kernels().wanted()).isEqualTo("java");
    assertThat(record.kernels().hosts()).containsOnlyKeys("java loops, 1 thread per call");
  }

  @Test
  void publishesDenseWeightsInTheSourcesPlace() {
    ModelRef source = TinyCheckpoint.gpt2(4).write(model);
    compress(RTN + "output.format = dense");

    Checkpoint published = new ModelRef(session.store(), at(output)).openWhole().checkpoint();
    assertThat(published.specs()).isEqualTo(source.openWhole().checkpoint().specs());
    assertThat(verify(Optional.of(at(model)))).contains("8 compressed; largest weight error");
  }

  @Test
  void cutsTheWeightsIntoFiles() throws IOException {
    TinyCheckpoint.llama(5).write(model);
    compress(RTN + "output.max-shard-size = 15kB");

    assertThat(files(output)).contains("model.safetensors.index.json");
    assertThat(verify(Optional.of(at(model)))).startsWith("verified ");
  }

  @Test
  void leavesOnlyItsRecordWhenLayersFail() throws IOException {
    String broken = TinyCheckpoint.layer(1, "mlp.up_proj.weight");
    TinyCheckpoint.llama(6).value(broken, 0, Float.NaN).write(model);

    assertThatThrownBy(() -> compress(RTN))
        .isInstanceOf(NumericalException.class)
        .hasMessageContaining("1 of 14 layers failed; the first is ")
        .hasMessageContaining("NONFINITE_WEIGHT");
    assertThat(files(output)).containsExactly("run.json");
    assertThat(Files.readString(output.resolve("run.json"))).contains("\"status\" : \"failed\"");
  }

  @Test
  void verifiesWhatWasCopiedOnPurpose() {
    String broken = TinyCheckpoint.layer(1, "mlp.up_proj.weight");
    TinyCheckpoint.llama(7).value(broken, 0, Float.NaN).write(model);

    RunRecord record =
        compress("steps = [ { rtn { group-size = 16, nonfinite = copy-unchanged } } ]");

    assertThat(record.totals()).containsEntry(Kind.COPIED, 1L);
    assertThat(verify(Optional.of(at(model)))).contains("8 tensors equal to the source, 13");
  }

  @Test
  void publishesButFailsWhenTooManyLayersFellBack() throws IOException {
    TinyCheckpoint.mixtral(8).write(model);
    String fallBack =
        "calibration.experts { starved = fall-back, minimum-tokens = 1, minimum-share = 0 }\n";

    assertThatThrownBy(
            () -> compress(GPTQ + calibration() + fallBack + "run.allowed-fallbacks = 5"))
        .isInstanceOf(FallbackLimitException.class)
        .hasMessageContaining("6 layers fell back where the recipe allows 5");
    assertThat(files(output)).contains("_SUCCESS.json");
  }

  @Test
  void asksForCalibrationData() throws IOException {
    TinyCheckpoint.llama(9).write(model);
    assertThatThrownBy(() -> compress(GPTQ))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("calibration.data names none");
    assertThat(files(output)).containsExactly("run.json");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "model/out", "."})
  void keepsApartFromTheModel(String place) throws IOException {
    TinyCheckpoint.llama(10).write(model);
    List<String> before = files(model);
    output = folder.resolve(place);

    assertThatThrownBy(() -> compress(RTN, Existing.REPLACE))
        .isInstanceOf(DestinationException.class)
        .hasMessageContaining("are in one another");
    assertThat(files(model)).isEqualTo(before);
  }

  @Test
  void replacesACheckpointOnlyByABetterOne() throws IOException {
    TinyCheckpoint.llama(11).write(model);
    compress(RTN);
    Map<String, String> before = hashes();
    String broken = TinyCheckpoint.layer(1, "mlp.up_proj.weight");
    Path sick = folder.resolve("sick");
    TinyCheckpoint.llama(11).value(broken, 0, Float.NaN).write(sick);

    assertThatThrownBy(() -> compress(RTN, Existing.REFUSE))
        .isInstanceOf(DestinationException.class);
    assertThatThrownBy(() -> compress(RTN + "model = " + sick, Existing.REPLACE))
        .isInstanceOf(NumericalException.class);
    assertThat(hashes()).as("the old checkpoint is whole").isEqualTo(before);

    compress("steps = [ { rtn { group-size = 16, bits = 8 } } ]", Existing.REPLACE);
    assertThat(hashes()).doesNotContainEntry("model.safetensors", before.get("model.safetensors"));
    assertThat(verify(Optional.of(at(model)))).startsWith("verified 5 files");
  }

  @Test
  void refusesToVerifyWhatIsNotAsItWasPublished() throws IOException {
    TinyCheckpoint.llama(12).write(model);
    compress(RTN);

    Files.writeString(output.resolve("extra.txt"), "x");
    assertThatThrownBy(() -> verify(Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("holds 'extra.txt', which the run");
    Files.delete(output.resolve("extra.txt"));
    Files.writeString(output.resolve("generation_config.json"), "[]");
    assertThatThrownBy(() -> verify(Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("generation_config.json has SHA-256 ");
    Files.delete(output.resolve("_SUCCESS.json"));
    assertThatThrownBy(() -> verify(Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("it is not a complete checkpoint");
  }

  @Test
  void finishesWhatWasCutShort() throws IOException {
    TinyCheckpoint.llama(13).write(model);
    String recipe = GPTQ + calibration() + "calibration.mode = sequential\n";
    compress(recipe);
    Map<String, String> whole = weights();
    output = folder.resolve("other");
    cutShort(recipe);
    assertThat(files(output)).containsExactly("_staging", "run.json");

    RunRecord resumed = compress(recipe);

    assertThat(resumed.resumedLayers()).as("layers that were not solved again").isEqualTo(14);
    assertThat(weights()).isEqualTo(whole);
    assertThat(files(output)).doesNotContain("_staging");
  }

  @Test
  void refusesToGoOnWithAnotherRecipe() throws IOException {
    TinyCheckpoint.llama(13).write(model);
    cutShort(RTN);

    assertThatThrownBy(() -> compress("steps = [ { rtn { group-size = 16, bits = 3 } } ]"))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining("steps.0.rtn.bits was absent and is 3")
        .hasMessageContaining("--restart");
    assertThat(compress(RTN).resumedLayers()).as("the run itself can go on").isEqualTo(14);
  }

  @Test
  void refusesToGoOnWithAnotherModel() throws IOException {
    TinyCheckpoint.llama(13).write(model);
    cutShort(RTN);
    TinyCheckpoint.llama(13)
        .value(TinyCheckpoint.layer(0, "mlp.up_proj.weight"), 0, 9)
        .write(model2());

    String moved = RTN + "model = " + model2();
    assertThatThrownBy(() -> compress(moved))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining(": model was ");

    RunRecord anew = compress(moved, Existing.REFUSE, Earlier.DISCARD).orElseThrow();
    assertThat(anew.resumedLayers()).isZero();
  }

  @Test
  void hasNothingToDoWhereOnlyTheWorkspaceWasLeft() throws IOException {
    TinyCheckpoint.llama(14).write(model);
    RunRecord record = compress(RTN);
    Map<String, String> before = hashes();
    leave(UUID.fromString(record.runId()));

    assertThat(compress(RTN, Existing.REFUSE, Earlier.RESUME)).isEmpty();

    assertThat(hashes()).isEqualTo(before);
    assertThatThrownBy(() -> compress(RTN)).isInstanceOf(DestinationException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void keepsStatisticsForOtherRuns(String mode) throws IOException {
    TinyCheckpoint.llama(15).write(model);
    String recipe =
        GPTQ
            + calibration()
            + "calibration { mode = %s, statistics = %s }%n"
                .formatted(mode, folder.resolve("statistics"));
    compress(recipe);
    Map<String, String> first = weights();
    List<String> kept = everyFile(folder.resolve("statistics"));
    output = folder.resolve("other");
    compress(recipe);

    assertThat(weights()).isEqualTo(first);
    assertThat(everyFile(folder.resolve("statistics"))).as("nothing was added").isEqualTo(kept);
    output = folder.resolve("third");
    compress(recipe.replace("group-size = 16", "group-size = 16, bits = 3"));
    if (mode.equals("one-pass")) {
      assertThat(everyFile(folder.resolve("statistics"))).isEqualTo(kept);
    }
  }

  @Test
  void collectsStatisticsAhead() throws IOException {
    TinyCheckpoint.llama(16).write(model);
    String recipe =
        GPTQ + calibration() + "calibration.statistics = %s%n".formatted(folder.resolve("stats"));
    Map<String, StoredInput> kept =
        new CalibrateJob(session, TinyRun.quiet(), recipe(recipe)).run();
    List<String> files = everyFile(folder.resolve("stats"));

    compress(recipe);

    assertThat(kept).hasSize(8);
    assertThat(everyFile(folder.resolve("stats"))).isEqualTo(files).doesNotContain("_work");
    assertThatThrownBy(
            () ->
                new CalibrateJob(
                        session, TinyRun.quiet(), recipe(recipe + "calibration.mode = sequential"))
                    .run())
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("depend on how the blocks before it were compressed");
    assertThatThrownBy(() -> new CalibrateJob(session, TinyRun.quiet(), recipe(GPTQ)).run())
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--statistics DIR");
  }

  /** A run that solved all its layers and ended as it began to publish them. */
  private void cutShort(String recipe) {
    OutputStream screen =
        new ByteArrayOutputStream() {
          @Override
          public synchronized void write(byte[] bytes, int from, int count) {
            super.write(bytes, from, count);
            if (toString(StandardCharsets.UTF_8).contains("assemble ")) {
              throw new IllegalStateException("cut short");
            }
          }
        };
    Progress progress =
        new Progress(
            new PrintStream(screen, true, StandardCharsets.UTF_8),
            Progress.Screen.LOG,
            Clock.systemUTC());
    assertThatThrownBy(() -> new CompressJob(session, progress, recipe(recipe), at(output)).run())
        .hasStackTraceContaining("cut short");
  }

  /** Work of a run, as if it had been killed when it had just begun. */
  private void leave(UUID run) throws IOException {
    Path identity = output.resolve("_staging/%s/identity.json".formatted(run));
    Files.createDirectories(identity.getParent());
    Files.writeString(identity, "");
  }

  private Path model2() {
    return folder.resolve("model2");
  }

  private Map<String, String> weights() throws IOException {
    Map<String, String> hashes = hashes();
    hashes.keySet().removeAll(List.of("run.json", "tasks.json", "_SUCCESS.json"));
    return hashes;
  }

  private static List<String> everyFile(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  private RunRecord compress(String text) {
    return compress(text, Existing.REFUSE);
  }

  private RunRecord compress(String text, Existing existing) {
    return compress(text, existing, Earlier.RESUME).orElseThrow();
  }

  private Optional<RunRecord> compress(String text, Existing existing, Earlier earlier) {
    return new CompressJob(session, TinyRun.quiet(), recipe(text), at(output), existing, earlier)
        .run();
  }

  private io.shardpress.jobs.recipe.Recipe recipe(String text) {
    return Recipes.read(folder, "model = " + model + "\n" + text);
  }

  private String verify(Optional<Location> source) {
    return new VerifyJob(session, TinyRun.quiet(), KernelChoice.AUTO).run(at(output), source);
  }

  private String calibration() {
    Path data = TinyTokens.write(folder.resolve("calibration.jsonl"), 7, 1);
    return "calibration { data = %s, length = 16, sequences = 7, chunk-tokens = 32 }%n"
        .formatted(data);
  }

  private String evaluation() {
    Path data = TinyTokens.write(folder.resolve("evaluation.jsonl"), 4, 2);
    return "evaluation { data = %s, length = 16 }%n".formatted(data);
  }

  private Map<String, String> hashes() throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    for (String file : files(output)) {
      hashes.put(file, Sha256.of(Files.readAllBytes(output.resolve(file))));
    }
    return hashes;
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Location at(Path path) {
    return Location.of(path.toString());
  }
}
