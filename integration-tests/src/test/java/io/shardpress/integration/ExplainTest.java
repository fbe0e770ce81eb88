package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/** The explain command, as a user sees it. */
class ExplainTest extends Refusals {

  @Test
  void explains_what_the_recipe_does_to_each_linear() throws IOException {
    Cli.Result result = Cli.run("explain", recipe(Home.quickstart(), Recipes.GPTQ)).succeeded();

    assertThat(result.out())
        .contains(
            "4 x model.layers.{0-3}.mlp.down_proj",
            "steps.0 gptq",
            "Why: target 'Linear'.",
            "packed codes, 4 bit, group 128",
            "linears     28 of 28 shown");
    try (var files = Files.list(folder)) {
      assertThat(files).as("nothing is written").hasSize(1);
    }
  }

  @Test
  void explains_one_linear() {
    String recipe = recipe(Home.quickstart(), Recipes.RTN);

    assertThat(Cli.run("explain", recipe, "--module", "*.2.*.o_proj").succeeded().out())
        .contains("1 x model.layers.2.self_attn.o_proj", "linears     1 of 28 shown")
        .doesNotContain("q_proj");
  }

  @Test
  void pattern_that_matches_nothing() {
    String recipe = recipe(Home.quickstart(), Recipes.RTN);

    Cli.run("explain", recipe, "--module", "*.dwon_proj")
        .refused(USAGE, "'*.dwon_proj'", "Did you mean '*.down_proj'?");
    Cli.run("explain", recipe, "--module", "re:(").refused(INPUT, "re:(", "regular expression");
  }

  @Test
  void wrong_recipe() {
    Cli.run("explain").refused(USAGE, "no recipe", "conf/quickstart.conf");
    Cli.run("explain", recipe(Home.quickstart(), "{ gtpq {} }"))
        .refused(INPUT, "recipe.conf", "'gptq'");
    Cli.run("explain", recipe(Home.quickstart(), "{ rtn { targets = [\"*.q_prj\"] } }"))
        .refused(INPUT, "targets");
  }
}
