package io.shardpress.jobs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.fixture.SparkTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference models: what their {@code reference.json} says of the windows holds here. */
@SparkTest
class ReferenceDataTest {
  private static final String VARIABLE = "SHARDPRESS_REFERENCES";

  @TempDir Path folder;

  private final Store store = Given.store();
  private List<Path> models;

  @BeforeEach
  void modelsOfTheReferences() throws IOException {
    String references = System.getenv(VARIABLE);
    assumeTrue(references != null, VARIABLE + " names no folder with reference models");
    try (Stream<Path> folders = Files.list(Path.of(references, "models"))) {
      models =
          folders.filter(model -> Files.exists(model.resolve("reference.json"))).sorted().toList();
    }
    assertThat(models).isNotEmpty();
  }

  @Test
  void windowsAndScoredTokensAreThoseOfTheReference(SparkSession spark) throws IOException {
    for (Path model : models) {
      JsonNode reference = json(model.resolve("reference.json"));
      DataSettings settings =
          new DataSettings(
              List.of(model.resolve(reference.get("data").asText()).toString()),
              Optional.ofNullable(reference.get("column")).map(JsonNode::asText),
              reference.get("length").asInt(),
              Optional.empty(),
              Sample.FIRST,
              0,
              DataSettings.Bos.AUTO,
              16);
      ModelTokens facts = facts(model);
      TokenChunks tokens =
          new TokenPreparation(spark, store).prepare(settings, facts, Given.at(folder));
      assertThat(tokens.sequences())
          .as("windows of %s", model)
          .isEqualTo(reference.get("windows").asInt());
      assertThat(tokens.scoredTokens())
          .as("tokens scored of %s", model)
          .isEqualTo(reference.get("tokens_scored").asLong());
      for (int chunk = 0; chunk < tokens.chunks(); chunk++) {
        assertThat(tokens.readChunk(chunk)[0])
            .as("first token of chunk %d of %s", chunk, model)
            .isEqualTo(facts.bos().orElseThrow());
      }
    }
  }

  @Test
  void piecesOfLongTextsGiveTheIdsOfTheWhole() throws IOException {
    Path wikitext = Path.of(System.getenv(VARIABLE), "data/wikitext-2/valid.txt");
    for (Path model : models) {
      if (!Files.exists(model.resolve("tokenizer.json"))) {
        continue;
      }
      for (Path text : List.of(model.resolve("evaluation.txt"), wikitext)) {
        assumeTrue(Files.exists(text), "there is no " + text);
        assertPiecesGiveTheWhole(model, text);
      }
    }
  }

  private void assertPiecesGiveTheWhole(Path model, Path text) throws IOException {
    ModelTokens facts = facts(model);
    try (Tokenizer tokenizer = Given.tokenizer(facts.checkpoint(), facts.vocabulary());
        RowReader rows = new TextRows(store, Given.file(text))) {
      TokenRuns runs = new TokenRuns(rows, tokenizer::encode, 2, facts.vocabulary(), 5000);
      List<int[]> pieces = new ArrayList<>();
      for (Optional<int[]> next = runs.next(); next.isPresent(); next = runs.next()) {
        pieces.add(next.get());
      }
      assertThat(pieces).hasSizeGreaterThan(20);
      assertThat(pieces.stream().flatMapToInt(IntStream::of).toArray())
          .as("%s with the tokenizer of %s", text, model)
          .isEqualTo(tokenizer.encode(Files.readString(text)));
    }
  }

  private static ModelTokens facts(Path model) throws IOException {
    JsonNode config = json(model.resolve("config.json"));
    return new ModelTokens(
        Given.at(model),
        config.get("vocab_size").asInt(),
        config.get("max_position_embeddings").asInt(),
        OptionalInt.of(config.get("bos_token_id").asInt()));
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(Files.readAllBytes(file));
  }
}
