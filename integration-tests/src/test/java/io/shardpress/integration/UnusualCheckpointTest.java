package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that are allowed to be as they are, and what is said about them. */
class UnusualCheckpointTest extends Refusals {
  private static final String MODULE = "model.layers.2.mlp.up_proj";
  private static final short NOT_A_NUMBER = 0x7fc0;
  private static final short INFINITY = 0x7f80;

  @Test
  void unknown_family_cannot_be_calibrated() throws IOException {
    refuses(unknownFamily(), Recipes.GPTQ, INPUT, "'mamba9'", "rtn", "llama");
  }

  @Test
  void unknown_family_can_be_rounded() {
    BrokenModel model = unknownFamily();
    String recipe = recipe(model.folder(), Recipes.RTN);

    Cli.Result result = compress(recipe).succeeded();

    assertThat(result.out()).contains("Unknown family 'mamba9'", "not evaluated", "28 compressed");
    Cli.run("verify", recipe, "--output", output().toString()).succeeded();
    Cli.run("plan", recipe).succeeded();
  }

  @Test
  void unknown_family_cannot_be_evaluated() {
    BrokenModel model = unknownFamily();

    Cli.run("evaluate", recipe(model.folder(), Recipes.RTN))
        .refused(INPUT, "'mamba9'", model.folder().toString());
  }

  @ParameterizedTest
  @ValueSource(shorts = {NOT_A_NUMBER, INFINITY})
  void value_that_is_no_number(short bits) throws IOException {
    refuses(poisoned(bits), Recipes.RTN, INPUT, MODULE, "copy-unchanged");
  }

  @Test
  void value_that_is_no_number_stops_calibration() throws IOException {
    refuses(poisoned(NOT_A_NUMBER), Recipes.GPTQ, INPUT, "finite");
  }

  @Test
  void layer_with_a_value_that_is_no_number_is_copied_when_the_recipe_says_so() throws IOException {
    BrokenModel model = poisoned(NOT_A_NUMBER);
    String recipe =
        recipe(model.folder(), "{ rtn { scheme = W4A16, nonfinite = copy-unchanged } }");

    compress(recipe, "--set", "evaluation.data=[]").succeeded();

    JsonNode run = new ObjectMapper().readTree(output().resolve("run.json").toFile());
    assertThat(run.path("totals").path("COPIED").asInt()).isEqualTo(1);
    run.path("layers")
        .forEach(
            layer -> {
              if (layer.path("kind").asText().equals("COPIED")) {
                assertThat(layer.path("module").asText()).isEqualTo(MODULE);
                assertThat(layer.path("why").asText()).contains("finite");
              }
            });
    Cli.run("verify", recipe, "--output", output().toString()).succeeded();
  }

  private BrokenModel unknownFamily() {
    return model().json("config.json", config -> config.put("model_type", "mamba9"));
  }

  private BrokenModel poisoned(short bits) {
    return model()
        .weights(
            file -> {
              file.poke(MODULE + ".weight", bits);
              return file;
            });
  }
}
