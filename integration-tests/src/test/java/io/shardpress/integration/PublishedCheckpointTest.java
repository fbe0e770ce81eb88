package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Compresses the shipped checkpoint in every way of writing it, and reads the result back. */
class PublishedCheckpointTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> COMPANIONS =
      List.of("tokenizer.json", "tokenizer_config.json", "generation_config.json");

  @TempDir private Path folder;

  /**
   * One way of compressing.
   *
   * @param format in {@code quantization_config}; empty for a plain checkpoint
   * @param maximumError of the KL to the dense model: what a broken weight would exceed by far
   */
  private record Way(
      String name, String step, String format, double maximumError, List<String> settings) {}

  private static final List<Way> WAYS =
      List.of(
          new Way("gptq, block after block", Recipes.GPTQ, "pack-quantized", 0.1, List.of()),
          new Way(
              "gptq, one pass, several files",
              Recipes.GPTQ,
              "pack-quantized",
              0.1,
              List.of("calibration.mode=one-pass", "output.max-shard-size=500kB")),
          new Way("rtn, no data", Recipes.RTN, "pack-quantized", 0.2, List.of()),
          new Way(
              "rtn, eight bits for integer kernels",
              "{ rtn { scheme = W8_CHANNEL, activations = dynamic-int8 } }",
              "int-quantized",
              0.01,
              List.of()),
          new Way(
              "gptq, stored dense",
              Recipes.GPTQ,
              "",
              0.1,
              List.of("output.format=dense", "calibration.mode=one-pass")),
          new Way(
              "different bits and groups in one model",
              """
              { gptq {
                scheme = W4A16, order = group, ignore = ["lm_head", "re:.*layers\\\\.2\\\\..*"]
                overrides = [
                  { targets = ["*.down_proj"], bits = 8, group-size = 64 }
                  { targets = ["model.layers.0.self_attn.q_proj"], symmetric = false, bits = 3 }
                ]
              } }\
              """,
              "pack-quantized",
              0.2,
              List.of("calibration.mode=one-pass")));

  @TestFactory
  List<DynamicTest> writes_a_checkpoint_that_verifies_and_evaluates() {
    return WAYS.stream().map(way -> DynamicTest.dynamicTest(way.name(), () -> check(way))).toList();
  }

  private void check(Way way) throws IOException {
    Path home = folder.resolve(way.name().replaceAll("\\W", "-"));
    Path output = home.resolve("output");
    String recipe = Recipes.write(home.resolve("recipe.conf"), Home.quickstart(), way.step());
    Map<String, String> before = Folders.hashes(Home.quickstart());

    Cli.run(command("compress", recipe, way, "--output", output.toString())).succeeded();

    assertThat(Folders.hashes(Home.quickstart())).as("the source").isEqualTo(before);
    assertThat(before)
        .as("copied files")
        .containsAllEntriesOf(only(Folders.hashes(output), COMPANIONS));
    JsonNode run = json(output.resolve("run.json"));
    RunRecordSchema.check(run);
    assertThat(run.path("status").asText()).isEqualTo("complete");
    assertThat(run.path("evaluation").path("reference").path("mean").asDouble())
        .isBetween(0.0, way.maximumError());
    checkConfig(json(output.resolve("config.json")), way);
    checkFiles(output, json(output.resolve("_SUCCESS.json")));
    checkUntouchedTensors(output, run);

    Cli.Result verified =
        Cli.run(command("verify", recipe, way, "--output", output.toString())).succeeded();
    assertThat(verified.out()).contains("verified", "compressed", "largest weight error");
    Path figures = home.resolve("figures.json");
    Cli.run(
            command(
                "evaluate",
                recipe,
                way,
                "--model",
                output.toString(),
                "--reference",
                Home.quickstart().toString(),
                "--json",
                figures.toString()))
        .succeeded();
    checkFigures(json(figures), run.path("evaluation"));
  }

  private static String[] command(String name, String recipe, Way way, String... options) {
    List<String> command = new ArrayList<>(List.of(name, recipe));
    way.settings().forEach(setting -> command.addAll(List.of("--set", setting)));
    command.addAll(List.of(options));
    return command.toArray(String[]::new);
  }

  private static void checkConfig(JsonNode config, Way way) throws IOException {
    JsonNode source = json(Home.quickstart().resolve("config.json"));
    source
        .properties()
        .forEach(
            entry ->
                assertThat(config.get(entry.getKey()))
                    .as(entry.getKey())
                    .isEqualTo(entry.getValue()));
    assertThat(config.path("quantization_config").path("format").asText()).isEqualTo(way.format());
  }

  /** The mark of success names every other file, and several weight files have an index. */
  private static void checkFiles(Path output, JsonNode success) throws IOException {
    Set<String> named = new TreeSet<>(Set.of("_SUCCESS.json"));
    success.path("files").forEach(file -> named.add(file.path("name").asText()));
    assertThat(Folders.files(output)).isEqualTo(named);
    Set<String> weights = new TreeSet<>(named);
    weights.removeIf(name -> !name.endsWith(".safetensors"));
    if (weights.size() == 1) {
      assertThat(weights).containsExactly("model.safetensors");
      assertThat(named).doesNotContain("model.safetensors.index.json");
    } else {
      JsonNode index = json(output.resolve("model.safetensors.index.json"));
      Set<String> mapped = new TreeSet<>();
      index.path("weight_map").forEach(file -> mapped.add(file.asText()));
      assertThat(mapped).isEqualTo(weights);
      assertThat(index.path("metadata").path("total_size").isIntegralNumber()).isTrue();
    }
  }

  /** What no step works on has the source's bytes. */
  private static void checkUntouchedTensors(Path output, JsonNode run) {
    Set<String> compressed = new TreeSet<>();
    run.path("layers").forEach(layer -> compressed.add(layer.path("module").asText() + ".weight"));
    HadoopStore store = HadoopStore.of(new Configuration());
    Checkpoint source = Checkpoint.open(store, Location.of(Home.quickstart().toString()));
    Checkpoint copy = Checkpoint.open(store, Location.of(output.toString()));
    int untouched = 0;
    for (String tensor : source.names()) {
      if (!compressed.contains(tensor)) {
        assertThat(copy.spec(tensor)).isEqualTo(source.spec(tensor));
        assertThat(copy.tensor(tensor).data()).as(tensor).isEqualTo(source.tensor(tensor).data());
        untouched++;
      }
    }
    assertThat(untouched).isEqualTo(source.names().size() - compressed.size()).isGreaterThan(9);
  }

  private static void checkFigures(JsonNode figures, JsonNode recorded) {
    assertThat(figures.path("tokens").asLong()).isEqualTo(4 * 63);
    assertThat(figures.path("perplexity").asDouble())
        .isEqualTo(recorded.path("perplexity").asDouble());
    assertThat(figures.path("kl").asDouble())
        .isEqualTo(recorded.path("reference").path("mean").asDouble());
    assertThat(figures.path("top1").asDouble()).isBetween(0.5, 1.0);
  }

  @Test
  void plans_as_json_without_touching_the_output() throws IOException {
    Path output = folder.resolve("output");
    Path file = folder.resolve("plan.json");
    String recipe = Recipes.write(folder.resolve("r.conf"), Home.quickstart(), Recipes.GPTQ);

    Cli.Result result =
        Cli.run("plan", recipe, "--set", "output.uri=" + output, "--json", file.toString())
            .succeeded();

    JsonNode plan = json(file);
    assertThat(plan.path("layers")).hasSize(4 * 7);
    assertThat(plan.path("layers").get(0).path("module").asText())
        .isEqualTo("model.layers.0.self_attn.q_proj");
    assertThat(plan.path("family").asText()).isEqualTo("llama");
    assertThat(plan.path("planned_bytes").asLong())
        .isBetween(1L, plan.path("source_bytes").asLong() / 2);
    assertThat(plan.path("peak_task_bytes").asLong()).isPositive();
    assertThat(result.out()).contains("28 to compress");
    assertThat(output).doesNotExist();
  }

  @Test
  void replaces_its_own_output_only_when_told_to() throws IOException {
    Path output = folder.resolve("output");
    String recipe = Recipes.write(folder.resolve("r.conf"), Home.quickstart(), Recipes.RTN);
    String[] compress = {
      "compress", recipe, "--output", output.toString(), "--set", "evaluation.data=[]"
    };
    Cli.run(compress).succeeded();
    Map<String, String> first = Folders.hashes(output);

    Cli.run(compress).refused(5, output.toString(), "not empty", "--overwrite");
    assertThat(Folders.hashes(output)).isEqualTo(first);

    Cli.run(
            "compress",
            recipe,
            "--output",
            output.toString(),
            "--overwrite",
            "--set",
            "steps.0.rtn.scheme=W8A16")
        .succeeded();
    assertThat(Folders.hashes(output).get("model.safetensors"))
        .isNotEqualTo(first.get("model.safetensors"));
    Cli.run("verify", recipe, "--output", output.toString()).succeeded();
  }

  private static Map<String, String> only(Map<String, String> hashes, List<String> names) {
    assertThat(hashes).containsKeys(names.toArray(String[]::new));
    hashes.keySet().retainAll(names);
    return hashes;
  }

  private static JsonNode json(Path file) throws IOException {
    return JSON.readTree(Folders.bytes(file));
  }
}
