package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.NumericalException;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.Publisher.Existing;
import io.shardpress.jobs.compress.LayerOutcome;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.compress.LayerOutcome.StepEnd;
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
import io.shardpress.jobs.storage.Sha256;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.KernelChoice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Whole runs whose linears take several steps. */
@SparkTest
class StackedStepsTest {
  private static final String WANDA = "{ wanda { pattern = \"2:4\" } }";
  private static final String SPARSEGPT = "{ sparsegpt { pattern = \"2:4\", group-size = 16 } }";
  private static final String GPTQ = "{ gptq { group-size = 16 } }";
  private static final String RTN = "{ rtn { group-size = 16 } }";
  private static final String REFIT = "{ refit {} }";

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

  @ParameterizedTest
  @CsvSource({"one-pass, compressed-tensors", "sequential, dense"})
  void whatWasPrunedStaysZeroInThePublishedCheckpoint(String mode, String format) {
    TinyCheckpoint.llama(1).write(model);
    String settings = calibration(mode) + evaluation() + "output.format = %s%n".formatted(format);
    for (List<String> steps :
        List.of(
            List.of("wanda", WANDA, "gptq", GPTQ),
            List.of("sparsegpt", SPARSEGPT, "refit", REFIT),
            List.of("wanda", WANDA, "refit", REFIT, "rtn", RTN))) {
      RunRecord record = compress("steps = [ %s ]%n".formatted(every(2, 1, steps)) + settings);
      assertThat(record.layers()).hasSize(14);
      for (LayerOutcome layer : record.layers()) {
        assertThat(layer.kind()).as(layer.module()).isEqualTo(Kind.COMPRESSED);
        assertThat(layer.sparsity()).isGreaterThanOrEqualTo(0.5);
        assertThat(layer.method()).isEqualTo(steps.get(steps.size() - 2));
        assertThat(layer.earlier()).hasSize(steps.size() / 2 - 1);
        StepEnd first = layer.earlier().get(0);
        assertThat(first.method()).isEqualTo(steps.get(0));
        assertThat(first.sparsity()).isEqualTo(0.5);
        assertThat(layer.seconds()).isGreaterThan(first.seconds());
        assertPattern(layer.module());
      }
      assertThat(record.evaluation().orElseThrow().windows()).isEqualTo(4);
      assertThat(verify()).startsWith("verified ");
    }
  }

  /** Some words of a list, each so many behind the one before. */
  private static String every(int step, int first, List<String> words) {
    StringBuilder text = new StringBuilder();
    for (int i = first; i < words.size(); i += step) {
      text.append(text.isEmpty() ? "" : ", ").append(words.get(i));
    }
    return text.toString();
  }

  private void assertPattern(String module) {
    try (INDArray matrix = published(module)) {
      assertPattern(module, matrix);
    }
  }

  private INDArray published(String module) {
    return new ModelRef(session.store(), at(output)).open().weights().matrix(module + ".weight");
  }

  private static void assertPattern(String module, INDArray matrix) {
    float[] values = Floats.toArray(matrix);
    for (int from = 0; from < values.length; from += 4) {
      int zeros = 0;
      for (int j = from; j < from + 4; j++) {
        zeros += values[j] == 0 ? 1 : 0;
      }
      assertThat(zeros).as("%s from %d on", module, from).isGreaterThanOrEqualTo(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void aRefitBringsCodesNearer(String mode) {
    TinyCheckpoint.llama(2).write(model);
    // Rounding alone is given the same inputs to be measured by.
    RunRecord record = compress("steps = [ %s, %s ]%n".formatted(RTN, REFIT) + calibration(mode));
    Map<String, Double> refitted = losses(record);
    assertThat(record.layers()).allMatch(layer -> layer.earlier().get(0).method().equals("rtn"));
    RunRecord gptq = compress("steps = [ %s ]%n".formatted(GPTQ) + calibration(mode));
    Map<String, Double> swept = losses(gptq);
    refitted.forEach(
        (module, loss) -> assertThat(loss).as(module).isBetween(1e-9, 4 * swept.get(module)));
  }

  private static Map<String, Double> losses(RunRecord record) {
    Map<String, Double> losses = new HashMap<>();
    record.layers().forEach(layer -> losses.put(layer.module(), layer.relativeLoss()));
    return losses;
  }

  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void budgetsAndGlobalThresholdsMeetTheShareOfAllWeights(String mode) {
    TinyCheckpoint.llama(3).write(model);
    for (String step :
        List.of(
            "{ magnitude { sparsity = 0.6, scope = global } }",
            "{ wanda { sparsity = 0.6, budget = owl } }",
            "{ sparsegpt { sparsity = 0.6, budget { method = owl, multiple = 3, spread = 0.1 }"
                + " } }")) {
      RunRecord record = compress("steps = [ %s, %s ]%n".formatted(step, RTN) + calibration(mode));
      double zeros = 0;
      double weights = 0;
      for (LayerOutcome layer : record.layers()) {
        double size = (double) layer.out() * layer.in();
        zeros += layer.earlier().get(0).sparsity() * size;
        weights += size;
      }
      assertThat(zeros / weights).as(step).isBetween(0.595, 0.61); // blocks of 32 columns are small
      assertThat(
              record.layers().stream().mapToDouble(l -> l.earlier().get(0).sparsity()).distinct())
          .as("layers differ")
          .hasSizeGreaterThan(1);
      assertThat(record.layers())
          .allMatch(layer -> layer.sparsity() >= layer.earlier().get(0).sparsity());
    }
  }

  /** What a look ahead keeps between its passes is of the dense model, and of no use behind it. */
  @Test
  void aLookAheadInSeveralPassesChangesNothing() {
    TinyCheckpoint.llama(4).write(model);
    String recipe =
        "steps = [ { sparsegpt { sparsity = 0.5, budget = owl } } ]%n".formatted()
            + calibration("sequential");
    compress(recipe);
    Map<String, String> once = weights();

    compress(recipe + "calibration.scratch-size = 1kB");

    assertThat(weights()).isEqualTo(once);
  }

  @Test
  void linearsOfGpt2TakeStepsInTheirOwnLayout() {
    TinyCheckpoint.gpt2(5).write(model);
    for (String mode : List.of("one-pass", "sequential")) {
      RunRecord record =
          compress(
              "steps = [ %s, %s ]%n".formatted(WANDA, REFIT) + calibration(mode) + evaluation());
      assertThat(record.layers()).hasSize(8).allMatch(layer -> layer.sparsity() == 0.5);
      for (LayerOutcome layer : record.layers()) {
        try (INDArray turned = published(layer.module());
            INDArray matrix = Floats.transpose(turned)) {
          assertPattern(layer.module(), matrix);
        }
      }
      assertThat(verify()).startsWith("verified ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void expertsThatNoTokenReachedArePrunedWithoutData(String mode) {
    TinyCheckpoint.mixtral(6).write(model);
    String starved =
        """
        calibration.experts { starved = fall-back, minimum-tokens = 1, minimum-share = 0 }
        run.allowed-fallbacks = 6
        """;
    Map<String, String> methods =
        Map.of(WANDA + ", " + RTN, "rtn", SPARSEGPT + ", " + REFIT, "refit");
    methods.forEach(
        (steps, last) -> {
          RunRecord record =
              compress("steps = [ %s ]%n".formatted(steps) + calibration(mode) + starved);
          String idle = "experts." + TinyCheckpoint.IDLE_EXPERT + ".";
          assertThat(record.layers())
              .filteredOn(layer -> layer.module().contains(idle))
              .hasSize(6)
              .allSatisfy(
                  layer -> {
                    assertThat(layer.kind()).isEqualTo(Kind.FELL_BACK);
                    assertThat(layer.why())
                        .endsWith("too few calibration tokens reached this expert");
                    assertThat(layer.method()).isEqualTo(last);
                    assertThat(layer.earlier().get(0).method())
                        .isEqualTo(last.equals("rtn") ? "magnitude" : "sparsegpt");
                    assertThat(layer.tokens()).isZero();
                    assertThat(layer.relativeLoss()).isNaN();
                    assertThat(layer.sparsity()).isGreaterThanOrEqualTo(0.5);
                  });
          assertThat(record.totals()).containsEntry(Kind.FELL_BACK, 6L);
          record.layers().forEach(layer -> assertPattern(layer.module()));
        });
  }

  @Test
  void aLayerThatTheFirstStepLeftIsLeftByTheRefit() {
    String broken = TinyCheckpoint.layer(1, "mlp.up_proj");
    TinyCheckpoint.llama(7).value(broken + ".weight", 0, Float.NaN).write(model);
    String targets = "targets = \"re:.*layers.1.mlp.up_proj\"";
    RunRecord record =
        compress(
            "steps = [ { wanda { pattern = \"2:4\", nonfinite = copy-unchanged, %s } }, { refit { %s } } ]%n"
                    .formatted(targets, targets)
                + calibration("one-pass"));
    assertThat(record.totals()).containsOnlyKeys(Kind.COPIED);
    assertThat(record.layers().get(0).earlier()).hasSize(1);

    assertThatThrownBy(
            () ->
                compress(
                    "steps = [ { rtn { group-size = 16, %s } }, { refit { %s } } ]%n"
                            .formatted(targets, targets)
                        + calibration("one-pass")))
        .isInstanceOf(NumericalException.class)
        .hasMessageContaining("NONFINITE_WEIGHT");
  }

  /** Killed while the second step is being made, in its first block. */
  @ParameterizedTest
  @ValueSource(strings = {"one-pass", "sequential"})
  void goesOnBetweenSteps(String mode) {
    TinyCheckpoint.llama(8).write(model);
    String recipe = "steps = [ %s, %s ]%n".formatted(SPARSEGPT, GPTQ) + calibration(mode);
    compress(recipe);
    Map<String, String> whole = weights();
    output = folder.resolve("other");
    assertThatThrownBy(
            () ->
                new CompressJob(session, untilText(" gptq loss"), recipe(recipe), at(output)).run())
        .hasStackTraceContaining("cut short");

    RunRecord resumed = job(recipe, Existing.REFUSE);

    assertThat(resumed.resumedLayers())
        .as("layers with both steps")
        .isBetween(1, mode.equals("sequential") ? 7 : 14);
    assertThat(resumed.layers()).allMatch(layer -> layer.earlier().size() == 1);
    assertThat(weights()).isEqualTo(whole);
  }

  private static Progress untilText(String text) {
    OutputStream screen =
        new ByteArrayOutputStream() {
          @Override
          public synchronized void write(byte[] bytes, int from, int count) {
            super.write(bytes, from, count);
            if (toString(StandardCharsets.UTF_8).contains(text)) {
              throw new IllegalStateException("cut short");
            }
          }
        };
    return new Progress(
        new PrintStream(screen, true, StandardCharsets.UTF_8), Progress.Screen.LOG, new Hours());
  }

  /** A clock on which an hour has passed whenever one looks: every step of progress is shown. */
  private static final class Hours extends Clock {
    private final AtomicInteger looks = new AtomicInteger();

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return Instant.EPOCH.plus(Duration.ofHours(looks.incrementAndGet()));
    }
  }

  private RunRecord compress(String text) {
    return job(text, Existing.REPLACE);
  }

  private RunRecord job(String text, Existing existing) {
    return new CompressJob(
            session, TinyRun.quiet(), recipe(text), at(output), existing, Earlier.RESUME)
        .run()
        .orElseThrow();
  }

  private io.shardpress.jobs.recipe.Recipe recipe(String text) {
    return Recipes.read(folder, "model = " + model + "\n" + text);
  }

  private String verify() {
    return new VerifyJob(session, TinyRun.quiet(), KernelChoice.AUTO)
        .run(at(output), Optional.of(at(model)));
  }

  private String calibration(String mode) {
    Path data = TinyTokens.write(folder.resolve("calibration.jsonl"), 7, 1);
    return "calibration { data = %s, length = 16, sequences = 7, chunk-tokens = 32, mode = %s }%n"
        .formatted(data, mode);
  }

  private String evaluation() {
    Path data = TinyTokens.write(folder.resolve("evaluation.jsonl"), 4, 2);
    return "evaluation { data = %s, length = 16 }%n".formatted(data);
  }

  private Map<String, String> weights() {
    Map<String, String> hashes = new HashMap<>();
    for (String file : List.of("model.safetensors", "config.json")) {
      try {
        hashes.put(file, Sha256.of(Files.readAllBytes(output.resolve(file))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return hashes;
  }

  private static Location at(Path path) {
    return Location.of(path.toString());
  }
}
