package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** What programs that read {@code run.json} rely on. */
final class RunRecordSchema {
  private static final Set<String> KEYS =
      Set.of(
          "format",
          "run_id",
          "status",
          "error",
          "started_at",
          "application_id",
          "versions",
          "kernels",
          "recipe",
          "model",
          "family",
          "calibration_digest",
          "layers",
          "totals",
          "uncompressed",
          "experts",
          "sizes",
          "evaluation",
          "seconds",
          "files",
          "warnings");

  private RunRecordSchema() {}

  /** The keys of every record, and what a complete one holds in them. */
  static void check(JsonNode run) {
    assertThat(keys(run)).containsAll(KEYS);
    assertThat(run.path("format").asText()).isEqualTo("shardpress-run/1");
    assertThat(run.path("run_id").asText()).matches("[0-9a-f-]{36}");
    assertThat(keys(run.path("versions"))).contains("shardpress", "spark", "java", "kernels");
    assertThat(keys(run.path("recipe"))).contains("model", "steps").doesNotContain("spark");
    if (run.path("status").asText().equals("complete")) {
      checkComplete(run);
    } else {
      assertThat(run.path("status").asText()).isEqualTo("failed");
      assertThat(run.path("error").asText()).isNotBlank();
      assertThat(run.path("files")).isEmpty();
    }
  }

  private static void checkComplete(JsonNode run) {
    assertThat(run.path("error").isNull()).isTrue();
    assertThat(run.path("layers")).isNotEmpty();
    long total = 0;
    for (JsonNode count : run.path("totals")) {
      total += count.asLong();
    }
    assertThat(run.path("layers")).hasSize((int) total);
    run.path("layers").forEach(RunRecordSchema::checkLayer);
    JsonNode sizes = run.path("sizes");
    assertThat(sizes.path("output_bytes").asLong()).isPositive();
    assertThat(sizes.path("source_bytes").asLong()).isPositive();
    assertThat(sizes.path("bits_per_weight").asDouble()).isBetween(1.0, 32.0);
    assertThat(sizes.path("linear_bits_per_weight").asDouble()).isBetween(1.0, 32.0);
    assertThat(keys(run.path("seconds"))).contains("plan", "compress", "assemble");
    run.path("files")
        .forEach(
            file -> {
              assertThat(file.path("bytes").asLong()).isPositive();
              assertThat(file.path("sha256").asText()).matches("[0-9a-f]{64}");
            });
  }

  private static void checkLayer(JsonNode layer) {
    assertThat(layer.path("module").asText()).isNotBlank();
    assertThat(layer.path("kind").asText())
        .isIn("COMPRESSED", "COMPRESSED_WITH_RECOVERY", "COPIED", "FELL_BACK");
    for (String number : List.of("relative_loss", "weight_nmse", "damping", "seconds")) {
      JsonNode value = layer.path(number);
      assertThat(value.isNumber() || value.isNull()).as(number + ": " + value).isTrue();
    }
    assertThat(layer.path("scheme").isObject()).isTrue();
    assertThat(layer.path("tensors").isArray()).isTrue();
  }

  private static Set<String> keys(JsonNode object) {
    Set<String> keys = new TreeSet<>();
    object.fieldNames().forEachRemaining(keys::add);
    return keys;
  }
}
