package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mistakes in recipes and on the command line. */
class BadRecipeTest extends Refusals {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "calibration { sequenses = 4 }        | calibration.sequenses  | sequences",
        "calibraton { sequences = 4 }         | calibraton             | calibration",
        "output { max-shardsize = 1GB }       | output.max-shardsize   | max-shard-size",
        "evaluation { lenght = 4 }            | evaluation.lenght      | length",
        "run { allowed-fallback = 1 }         | run.allowed-fallback   | allowed-fallbacks",
        "steps = [ { gptq { group-sise = 64 } } ] | steps.0.gptq.group-sise | group-size"
      })
  void unknown_key(String line, String key, String nearest) throws IOException {
    refusesLine(line, "recipe.conf:2", "'" + key + "'", "Did you mean '" + nearest + "'?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "calibration { sequences = many }          | calibration.sequences",
        "calibration { sequences = 1.5 }           | calibration.sequences",
        "calibration { sequences = -1 }            | sequences",
        "calibration { length = 0 }                | length",
        "calibration { mode = twopass }            | calibration.mode",
        "calibration = 4                           | calibration",
        "model = { a = b }                         | model",
        "output { max-shard-size = big }           | output.max-shard-size",
        "output { format = gguf }                  | output.format",
        "spark = local                             | spark",
        "steps = { gptq {} }                       | steps",
        "steps = [ gptq ]                          | steps.0",
        "steps = [ { gptq {}, rtn {} } ]           | steps.0",
        "steps = [ { gptq { bits = 5 } } ]         | bits",
        "steps = [ { gptq { bits = 12345678901 } } ] | bits",
        "steps = [ { gptq { group-size = 0 } } ]   | group-size",
        "steps = [ { gptq { damping = -1 } } ]     | damping",
        "steps = [ { gptq { targets = [4] } } ]    | targets",
        "steps = [ { gptq { targets = [\"re:(\"] } } ] | re:(",
        "steps = [ { gptq { overrides = 4 } } ]    | overrides",
        "steps = [ { gptq { overrides = [ { bits = 8 } ] } } ] | targets"
      })
  void wrong_value(String line, String part) throws IOException {
    refusesLine(line, "recipe.conf:2", part);
  }

  @Test
  void unknown_preset() throws IOException {
    refusesLine("steps = [ { gptq { scheme = W4A17 } } ]", "recipe.conf:2", "'W4A17'", "'W4A16'");
  }

  @Test
  void unknown_algorithm() throws IOException {
    refusesLine("steps = [ { gtpq { bits = 4 } } ]", "recipe.conf:2", "'gptq'");
  }

  @Test
  void not_hocon() throws IOException {
    refusesLine("calibration { data = [", "recipe.conf", "HOCON");
  }

  @Test
  void variable_that_is_not_set() throws IOException {
    refusesLine("run { allowed-fallbacks = ${NO_SUCH_VARIABLE} }", "NO_SUCH_VARIABLE");
  }

  @Test
  void include_that_leads_outside() throws IOException {
    refusesLine("include \"../../etc/passwd\"", "../../etc/passwd");
  }

  @Test
  void nothing_to_do() throws IOException {
    refusesLine("steps = []", "steps");
  }

  @Test
  void targets_that_match_nothing() throws IOException {
    refusesLine("steps = [ { rtn { targets = [\"*.q_prj\"] } } ]", "targets");
  }

  @Test
  void two_steps_for_one_weight() throws IOException {
    refusesLine(
        "steps = [ { rtn {} }, { rtn { bits = 8 } } ]",
        "a second step, steps.1 (rtn), would quantize it");
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 512})
  void group_that_does_not_divide(int size) throws IOException {
    refusesLine(
        "steps = [ { rtn { group-size = %d } } ]".formatted(size),
        "model.layers.0.",
        String.valueOf(size),
        "256");
  }

  @Test
  void no_model() {
    Path file = folder.resolve("recipe.conf");
    Folders.write(file, "steps = [ { rtn {} } ]".getBytes(StandardCharsets.UTF_8));

    Cli.run("compress", file.toString()).refused(USAGE, "recipe.conf", "model");
  }

  @Test
  void no_output() {
    Cli.run("compress", recipe(Home.quickstart(), Recipes.RTN)).refused(USAGE, "--output");
  }

  @Test
  void no_such_recipe() {
    Cli.run("compress", folder.resolve("none.conf").toString()).refused(INPUT, "none.conf");
  }

  @Test
  void a_folder_as_recipe() {
    Cli.run("compress", folder.toString()).refused(INPUT, folder.toString(), "folder");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nonsense                        | 1 | key=value",
        "=4                              | 1 | key=value",
        "calibration.sequences=many      | 2 | calibration.sequences",
        "calibration.sequenses=4         | 2 | Did you mean 'sequences'?",
        "steps.7.rtn.bits=3              | 1 | from 0 to 0",
        "steps.first.rtn.bits=3          | 1 | from 0 to 0",
        "steps.0.gptq.bits=3             | 2 | steps.0",
        "a..b=3                          | 1 | a..b",
        "steps={                         | 2 | --set",
        "output.format=[1                | 2 | --set"
      })
  void bad_assignment(String assignment, int code, String part) throws IOException {
    compress(recipe(Home.quickstart(), Recipes.RTN), "--set", assignment).refused(code, part);

    assertNothingPublished();
  }

  @Test
  void no_recipe() {
    Cli.run("compress").refused(USAGE, "no recipe", "conf/quickstart.conf");
    Cli.run("plan").refused(USAGE, "no recipe", "conf/quickstart.conf");
  }

  @Test
  void nothing_to_evaluate_or_verify() {
    Cli.run("evaluate").refused(USAGE, "--data");
    Cli.run("evaluate", "--data", "a.txt").refused(USAGE, "--model");
    Cli.run("verify").refused(USAGE, "--output");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "compres recipe.conf             | compress",
        "evalute                         | evaluate",
        "compress r.conf --outptu out    | --output",
        "plan r.conf --jsn file          | --json",
        "compress r.conf --output        | --output",
        "evaluate --length many          | --length",
        "compress a.conf b.conf          | b.conf"
      })
  void wrong_command_line(String command, String part) {
    Cli.Result result = Cli.run(command.split(" "));

    assertThat(result.code()).as(result.toString()).isEqualTo(USAGE);
    assertThat(result.err())
        .as(result.toString())
        .startsWith("shardpress: ")
        .contains(part)
        .doesNotContain("Exception", "\tat ");
  }

  @Test
  void no_command_prints_the_help() {
    Cli.Result result = Cli.run();

    assertThat(result.code()).isEqualTo(USAGE);
    assertThat(result.err()).contains("compress", "evaluate", "verify", "plan", "doctor");
  }

  /** A recipe that is right but for its second line is refused, as input, and nothing is left. */
  private void refusesLine(String line, String... parts) throws IOException {
    Path file = folder.resolve("recipe.conf");
    boolean names = line.startsWith("steps");
    String text =
        "model = \"%s\"%n%s%n%s%nspark.master = \"local[2]\"%n"
            .formatted(Home.quickstart(), line, names ? "" : "steps = [ { rtn {} } ]");
    if (line.startsWith("spark")) {
      text = text.replace("spark.master = \"local[2]\"", "");
    }
    Folders.write(file, text.getBytes(StandardCharsets.UTF_8));

    compress(file.toString()).refused(INPUT, parts);

    assertNothingPublished();
  }
}
