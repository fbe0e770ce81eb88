package io.shardpress.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.calibrate.ExpertTokens;
import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.fixture.MadeUpOutcomes;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.Plan;
import io.shardpress.jobs.plan.Planner;
import io.shardpress.jobs.recipe.Recipe;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.spark.Application;
import io.shardpress.jobs.spark.KernelsUsed;
import io.shardpress.jobs.spark.MemoryUsed;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.encoding.CompressedTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
  private final UUID run = UUID.randomUUID();
  private final KernelsUsed kernels = new KernelsUsed();

  @TempDir private Path folder;
  private Recipe recipe;
  private RunLog log;

  @BeforeEach
  void begin() {
    recipe =
        Recipes.read(
            folder,
            "model = /m, steps = [ { rtn { group-size = 16 } } ], spark.hadoop.key = secret");
    Application application = new Application("app-7", "driver-host", 2, kernels, new MemoryUsed());
    log = new RunLog(run, recipe, application, Instant.parse("2026-02-03T04:05:06Z"));
  }

  @Test
  void recordsARunThatKnowsNothingYet() {
    RunRecord record = log.failed("no such model");

    assertThat(record.format()).isEqualTo("shardpress-run/1");
    assertThat(record.runId()).isEqualTo(run.toString());
    assertThat(record.status()).isEqualTo("failed");
    assertThat(record.error()).contains("no such model");
    assertThat(record.startedAt()).isEqualTo("2026-02-03T04:05:06Z");
    assertThat(record.applicationId()).isEqualTo("app-7");
    assertThat(record.model()).isEqualTo("/m");
    assertThat(record.family()).isEmpty();
    assertThat(record.layers()).isEmpty();
    assertThat(record.sizes()).isEmpty();
    assertThat(record.versions()).containsKeys("shardpress", "spark", "java", "kernels");
  }

  @Test
  void recordsWhatItComputesWithAndWhere() {
    assertThat(log.running().kernels().wanted()).isEqualTo("auto");
    assertThat(log.running().kernels().threadsPerTask()).isEqualTo(2);
    assertThat(log.running().kernels().hosts())
        .containsExactly(
            Map.entry(log.running().versions().get("kernels"), List.of("driver-host")));
    assertThat(log.running().warnings()).isEmpty();

    kernels.report("something else", "other-host");
    assertThat(log.running().kernels().hosts())
        .containsEntry("something else", List.of("other-host"));
    assertThat(log.running().warnings()).singleElement().asString().contains("other-host");
  }

  @Test
  void recordsTheMemoryOfItsProcesses() throws IOException {
    JsonNode driver =
        new ObjectMapper().readTree(Json.text(log.running())).path("memory").path("driver");
    assertThat(driver.path("limit_bytes").asLong()).isGreaterThan(1 << 28);
    assertThat(driver.path("planned_bytes").asLong())
        .isGreaterThan(Runtime.getRuntime().maxMemory());
    assertThat(driver.has("peak_resident_bytes")).isTrue();
  }

  @Test
  void recordsTheRecipeWithoutSparkSettings() {
    assertThat(log.running().recipe())
        .contains("\"group-size\":16", "\"chunk-tokens\":8192")
        .doesNotContain("secret");
  }

  @Test
  void recordsWhatHappened() {
    OpenModel model = TinyCheckpoint.llama(1).write(folder.resolve("m")).openWhole();
    Checkpoint source = model.checkpoint();
    Plan plan = Planner.plan(model, recipe, new CompressedTensors());
    log.planned(source, plan);
    log.calibrated("abc", List.of(new ExpertTokens("x", 3, "none")));
    log.solved(
        List.of(
            MadeUpOutcomes.of(
                "a", Kind.COMPRESSED, TensorSpec.of("a.weight_packed", DType.I32, 8, 2)),
            MadeUpOutcomes.of(
                "b", Kind.COMPRESSED, TensorSpec.of("b.weight_packed", DType.I32, 8, 2)),
            MadeUpOutcomes.of("c", Kind.COPIED)),
        2);
    log.assembled(50_000);
    PublishedFile file = new PublishedFile("model.safetensors", 1, "ff");
    RunRecord record = log.complete(List.of(file));

    assertThat(record.status()).isEqualTo("complete");
    assertThat(record.error()).isEmpty();
    assertThat(record.family()).contains("llama");
    assertThat(record.calibrationDigest()).contains("abc");
    assertThat(record.experts()).hasSize(1);
    assertThat(record.totals()).containsEntry(Kind.COMPRESSED, 2L).containsEntry(Kind.COPIED, 1L);
    assertThat(record.resumedLayers()).isEqualTo(2);
    assertThat(record.uncompressed()).containsKey("lm_head");
    assertThat(record.files()).containsExactly(file);
    Sizes sizes = record.sizes().orElseThrow();
    assertThat(sizes.sourceBytes()).isEqualTo(plan.sourceBytes());
    assertThat(sizes.parameters()).isEqualTo(plan.sourceBytes() / 4);
    assertThat(sizes.bitsPerWeight()).isEqualTo(8.0 * 50_000 / sizes.parameters());
    assertThat(sizes.linearBitsPerWeight())
        .as("two layers of 8 x 2 words for 8 x 16 weights")
        .isEqualTo(2 * 8 * 2 * 32.0 / (2 * 8 * 16));
  }

  @Test
  void hasNoBitsPerWeightWhenNothingWasCompressed() {
    log.solved(List.of(MadeUpOutcomes.of("c", Kind.COPIED)), 0);
    log.assembled(10);
    assertThat(log.complete(List.of()).sizes().orElseThrow().linearBitsPerWeight()).isNaN();
  }

  @Test
  void timesStagesAlsoWhenTheyFail() {
    assertThat(log.<Integer>time("plan", () -> 3)).isEqualTo(3);
    assertThatThrownBy(
            () ->
                log.time(
                    "tokenize",
                    () -> {
                      throw new IllegalStateException("x");
                    }))
        .hasMessage("x");
    log.<Integer>time("plan", () -> 4);

    assertThat(log.running().seconds()).containsOnlyKeys("plan", "tokenize");
    assertThat(log.running().seconds().keySet()).containsExactly("plan", "tokenize");
  }

  @Test
  void isReadableJson() throws IOException {
    log.solved(List.of(MadeUpOutcomes.of("a", Kind.FELL_BACK)), 0);
    JsonNode json = new ObjectMapper().readTree(Json.text(log.failed("x")));

    assertThat(json.get("recipe").get("model").asText()).isEqualTo("/m");
    assertThat(json.get("totals").get("FELL_BACK").asInt()).isEqualTo(1);
    assertThat(json.get("layers").get(0).get("relative_loss").isNull()).isTrue();
    assertThat(json.get("evaluation").isNull()).isTrue();
    assertThat(json.get("calibration_digest").isNull()).isTrue();
  }
}
