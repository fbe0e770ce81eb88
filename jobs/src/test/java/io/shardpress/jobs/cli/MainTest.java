package io.shardpress.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Commands that need no Spark, and how all of them refuse. */
@ResourceLock(Resources.SYSTEM_OUT)
@ResourceLock(Resources.SYSTEM_ERR)
class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private PrintStream oldOut;
  private PrintStream oldErr;

  @TempDir private Path folder;

  @BeforeEach
  void listen() {
    oldOut = System.out;
    oldErr = System.err;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void stopListening() {
    System.setOut(oldOut);
    System.setErr(oldErr);
  }

  @Test
  void showsUsageWhenNothingIsAsked() {
    assertThat(Main.run()).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains(
            "shardpress",
            "compress",
            "evaluate",
            "verify",
            "doctor",
            "plan",
            "explain",
            "simulate");
  }

  @Test
  void showsHelpAndVersion() {
    assertThat(Main.run("--help")).isZero();
    assertThat(Main.run("help", "compress")).isZero();
    assertThat(Main.run("--version")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("--overwrite", "shardpress ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "explode                     | Unmatched argument",
        "plan --sett a=b             | Unknown option: '--sett'",
        "plan                        | There is no recipe.",
        "compress                    | There is no recipe.",
        "evaluate                    | There is no data to evaluate on.",
        "evaluate --data a           | There is no model.",
        "evaluate --data a --length x| Invalid value for option '--length'",
        "verify                      | There is nothing to verify.",
        "doctor --set a              | --set needs key=value",
      })
  void refusesWrongUsageWithCodeOne(String command, String message) {
    assertThat(Main.run(command.split(" +"))).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("shardpress: ").contains(message);
  }

  @Test
  void refusesARecipeWithoutAModel() {
    Path recipe = Recipes.write(folder, "steps = []");
    assertThat(Main.run("plan", recipe.toString())).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("names no model");
  }

  @Test
  void refusesAnOutputThatIsNamedNowhere() {
    Path recipe = Recipes.write(folder, "model = /m");
    assertThat(Main.run("compress", recipe.toString())).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("There is no output.");
  }

  @Test
  void refusesWrongInputWithCodeTwo() {
    Path recipe = Recipes.write(folder, "modle = /m");
    assertThat(Main.run("plan", recipe.toString())).isEqualTo(2);
    assertThat(Main.run("plan", folder.resolve("none.conf").toString())).isEqualTo(2);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("unknown key 'modle'", "none.conf")
        .doesNotContain("\tat ");
  }

  @Test
  void plansFromHeadersAlone() throws IOException {
    TinyCheckpoint.llama(1).write(folder.resolve("m"));
    Path recipe = Recipes.write(folder, "steps = [ { rtn { group-size = 16 } } ]");
    Path json = folder.resolve("reports/plan.json");

    int code =
        Main.run(
            "plan",
            recipe.toString(),
            "--set",
            "model=" + folder.resolve("m"),
            "--set",
            "steps.0.rtn.bits=8",
            "--json",
            json.toString());

    assertThat(code).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("layers    14 to compress", "8 bit");
    assertThat(Files.readString(json)).contains("\"family\" : \"llama\"");
  }

  @Test
  void refusesAPlanThatDoesNotFitWithCodeThree() {
    TinyCheckpoint.llama(1).write(folder.resolve("m"));
    Path recipe =
        Recipes.write(
            folder,
            """
            model = %s
            steps = [ { rtn { group-size = 16 } } ]
            spark { master = yarn, executor.memory = 512m, executor.memoryOverhead = 400m }
            """
                .formatted(folder.resolve("m")));

    assertThat(Main.run("plan", recipe.toString())).isEqualTo(3);
    assertThat(out.toString(StandardCharsets.UTF_8)).containsPattern("memory +\\S+ MB per process");
    assertThat(err.toString(StandardCharsets.UTF_8))
        .containsPattern(
            "shardpress: model.layers.0.\\S+ needs 0 MiB beside the heap, and an executor")
        .contains("spark.executor.memoryOverhead=1g.");
  }

  @Test
  void reportsHealth() {
    assertThat(Main.run("doctor")).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("ok   java ");
    assertThat(Main.run("doctor", "--set", "model=" + folder.resolve("none"))).isEqualTo(3);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("FAIL model ");
  }
}
