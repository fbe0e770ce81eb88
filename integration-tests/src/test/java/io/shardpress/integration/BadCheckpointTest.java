package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that are damaged, incomplete, hostile, or not what they say they are. */
class BadCheckpointTest extends Refusals {
  private static final String Q_PROJ = "model.layers.1.self_attn.q_proj.weight";
  private static final String NORM = "model.layers.1.input_layernorm.weight";

  @Test
  void truncated_weights() throws IOException {
    BrokenModel model = model();
    byte[] whole = Folders.bytes(model.file(BrokenModel.WEIGHTS));
    Folders.write(model.file(BrokenModel.WEIGHTS), Arrays.copyOf(whole, whole.length - 1000));

    refuses(model, Recipes.GPTQ, INPUT, "model/model.safetensors", "download");
  }

  @Test
  void empty_weights() throws IOException {
    BrokenModel model = model().text(BrokenModel.WEIGHTS, "");

    refuses(model, Recipes.GPTQ, INPUT, "model/model.safetensors", "0 bytes");
  }

  @Test
  void header_with_offsets_beyond_the_file() throws IOException {
    BrokenModel model =
        model()
            .weights(
                file -> {
                  long begin = file.tensor(Q_PROJ).path("data_offsets").get(0).asLong();
                  file.tensor(Q_PROJ).putArray("data_offsets").add(begin).add(1L << 40);
                  return file;
                });

    refuses(model, Recipes.GPTQ, INPUT, "model/model.safetensors", Q_PROJ);
  }

  @Test
  void header_with_a_shape_that_is_not_the_data() throws IOException {
    BrokenModel model =
        model()
            .weights(
                file -> {
                  file.tensor(Q_PROJ).putArray("shape").add(512).add(256);
                  return file;
                });

    refuses(model, Recipes.RTN, INPUT, "model/model.safetensors", Q_PROJ);
  }

  @ParameterizedTest
  @ValueSource(longs = {50_000_000, 1L << 40, Long.MAX_VALUE, -1})
  void header_longer_than_the_file(long length) throws IOException {
    BrokenModel model = model();
    WeightFile.read(model.file(BrokenModel.WEIGHTS)).write(model.file(BrokenModel.WEIGHTS), length);

    refuses(
        model,
        Recipes.GPTQ,
        INPUT,
        "model/model.safetensors",
        "header of " + Long.toUnsignedString(length));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "a/../../secret.safetensors",
        "..\\secret.safetensors",
        "../model-secret.safetensors"
      })
  void index_that_leads_outside(String name) throws IOException {
    BrokenModel model = model();
    Folders.write(
        folder.resolve("model-secret.safetensors"), Folders.bytes(model.file(BrokenModel.WEIGHTS)));
    model.index(Map.of(Q_PROJ, name));

    refuses(model, Recipes.RTN, INPUT, "model.safetensors.index.json");
  }

  @Test
  void weights_that_are_a_link_to_elsewhere() throws IOException {
    Path elsewhere = BrokenModel.in(folder.resolve("elsewhere")).file(BrokenModel.WEIGHTS);
    BrokenModel model = model().without(BrokenModel.WEIGHTS);
    Files.createSymbolicLink(model.file(BrokenModel.WEIGHTS), elsewhere);

    refuses(model, Recipes.RTN, INPUT, "link", elsewhere.toString());
  }

  @Test
  void index_of_a_file_that_is_not_there() throws IOException {
    BrokenModel model = model().index(Map.of(Q_PROJ, "model-00001-of-00001.safetensors"));

    refuses(model, Recipes.RTN, INPUT, "model-00001-of-00001.safetensors", "not there");
  }

  @Test
  void index_that_forgets_a_tensor() throws IOException {
    BrokenModel model = model();
    Map<String, String> map = new LinkedHashMap<>();
    WeightFile file = WeightFile.read(model.file(BrokenModel.WEIGHTS));
    file.header().fieldNames().forEachRemaining(name -> map.put(name, "a.safetensors"));
    map.keySet().removeAll(List.of("__metadata__", NORM));
    file.write(model.file("a.safetensors"));

    refuses(model.index(map), Recipes.RTN, INPUT, NORM, "index");
  }

  @ParameterizedTest
  @ValueSource(strings = {Q_PROJ, NORM, "model.norm.weight", "model.embed_tokens.weight"})
  void missing_tensor(String tensor) throws IOException {
    BrokenModel model = model().weights(file -> file.without(tensor));

    refuses(model, Recipes.GPTQ, INPUT, tensor, "model");
  }

  /** No step and no evaluation would ever read it, but no runtime would load the result. */
  @Test
  void missing_tensor_that_no_step_needs() throws IOException {
    BrokenModel model = model().weights(file -> file.without(NORM));

    compress(recipe(model.folder(), Recipes.RTN), "--set", "evaluation.data=[]")
        .refused(INPUT, NORM);

    assertNothingPublished();
  }

  @ParameterizedTest
  @CsvSource({
    "hidden_size, 128",
    "intermediate_size, 640",
    "num_attention_heads, 16",
    "num_key_value_heads, 8",
    "num_hidden_layers, 6",
    "num_hidden_layers, 3",
    "vocab_size, 4096",
    "vocab_size, 1024"
  })
  void configuration_of_another_size(String key, int value) throws IOException {
    BrokenModel model = model().json("config.json", config -> config.put(key, value));

    refuses(model, Recipes.GPTQ, INPUT, "config.json");
  }

  @Test
  void configuration_that_is_no_json() throws IOException {
    refuses(model().text("config.json", "{\"model_type\":"), Recipes.GPTQ, INPUT, "config.json");
  }

  @Test
  void configuration_without_a_number_it_needs() throws IOException {
    BrokenModel model = model().json("config.json", config -> config.remove("num_attention_heads"));

    refuses(model, Recipes.GPTQ, INPUT, "config.json", "num_attention_heads");
  }

  @Test
  void no_configuration() throws IOException {
    refuses(model().without("config.json"), Recipes.GPTQ, INPUT, "config.json");
  }

  @Test
  void no_such_folder() throws IOException {
    Path missing = folder.resolve("no-model");

    compress(recipe(missing, Recipes.GPTQ)).refused(INPUT, missing.toString(), "Check the path");

    assertNothingPublished();
  }

  @Test
  void a_file_instead_of_a_folder() throws IOException {
    Path file = model().file(BrokenModel.WEIGHTS);

    compress(recipe(file, Recipes.GPTQ)).refused(INPUT, file.toString(), "folder");

    assertNothingPublished();
  }

  @Test
  void a_folder_without_weights() throws IOException {
    refuses(model().without(BrokenModel.WEIGHTS), Recipes.RTN, INPUT, "safetensors");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "consolidated.00.pth", "model.pt", "model.ckpt"})
  void pickled_weights_only(String name) throws IOException {
    BrokenModel model = model().without(BrokenModel.WEIGHTS).text(name, "not to be opened");

    refuses(model, Recipes.RTN, INPUT, name, "safetensors");
  }

  @Test
  void pickled_weights_beside_good_ones_are_left_behind() {
    BrokenModel model = model().text("pytorch_model.bin", "not to be opened");

    compress(recipe(model.folder(), Recipes.RTN), "--set", "evaluation.data=[]").succeeded();

    assertThat(Folders.files(output())).contains("model.safetensors", "tokenizer.json");
    assertThat(Folders.files(output())).doesNotContain("pytorch_model.bin");
  }

  @Test
  void compressed_already() throws IOException {
    Path first = folder.resolve("first");
    Cli.run(
            "compress",
            recipe(Home.quickstart(), Recipes.RTN),
            "--set",
            "evaluation.data=[]",
            "--output",
            first.toString())
        .succeeded();

    refuses(new BrokenModel(first), Recipes.RTN, INPUT, first.toString(), "original");
  }
}
