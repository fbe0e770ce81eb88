package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.evaluate.Evaluation;
import io.shardpress.jobs.job.EvaluateJob;
import io.shardpress.jobs.recipe.EvaluationSettings;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.operators.linalg.KernelChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Perplexity of dense models as transformers measures it: every folder of {@code
 * $SHARDPRESS_REFERENCES/models} with a {@code reference.json}.
 */
class ReferenceModelsTest {
  private static final Percentage TOLERANCE = Percentage.withPercentage(0.1);

  @TestFactory
  Stream<DynamicTest> dense_perplexity_agrees_with_the_reference() throws IOException {
    String references = System.getenv("SHARDPRESS_REFERENCES");
    assumeTrue(references != null, "SHARDPRESS_REFERENCES names no folder of references");
    List<Path> models;
    try (Stream<Path> folders = Files.list(Path.of(references, "models"))) {
      models = folders.filter(f -> Files.exists(f.resolve("reference.json"))).sorted().toList();
    }
    assertThat(models).as("models in " + references).isNotEmpty();
    return models.stream()
        .map(
            model -> DynamicTest.dynamicTest(model.getFileName().toString(), () -> compare(model)));
  }

  private static void compare(Path model) throws IOException {
    JsonNode reference = new ObjectMapper().readTree(model.resolve("reference.json").toFile());
    EvaluationSettings settings =
        new EvaluationSettings(
            List.of(model.resolve(reference.path("data").asText()).toString()),
            Optional.ofNullable(reference.get("column")).map(JsonNode::asText),
            reference.path("length").asInt(),
            Optional.empty(),
            reference.path("bos_per_window").asBoolean()
                ? DataSettings.Bos.ALWAYS
                : DataSettings.Bos.NEVER,
            8192);
    Evaluation found;
    try (Session session =
        Session.start(Map.of("spark.master", "local[2]", "spark.ui.enabled", "false"))) {
      found =
          new EvaluateJob(session, Progress.ofProcess(System.out), KernelChoice.AUTO)
              .run(Location.of(model.toString()), Optional.empty(), settings)
              .evaluation();
    }
    System.out.printf(
        "%s: perplexity %.6f, reference %.6f%n",
        model.getFileName(), found.perplexity(), reference.path("perplexity").asDouble());
    assertThat(found.windows()).isEqualTo(reference.path("windows").asInt());
    assertThat(found.tokens()).isEqualTo(reference.path("tokens_scored").asLong());
    assertThat(found.perplexity()).isCloseTo(reference.path("perplexity").asDouble(), TOLERANCE);
  }
}
