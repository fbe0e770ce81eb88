package io.shardpress.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

@ResourceLock(Resources.SYSTEM_OUT)
@ResourceLock(Resources.SYSTEM_ERR)
class SimulateCommandTest {
  /** A second of the driver, 12 s of tasks, and half a second of the driver. */
  private static final String TASKS =
      """
      {
        "format": "shardpress-tasks/1", "run_id": "7", "blocks": 2, "sequences": 4,
        "cores_per_executor": 1, "cores_per_task": 1, "executors": ["driver@here"], "seconds": 13.5,
        "stages": [
          { "stage": "compress", "start": 1, "end": 13.5, "jobs": [
            { "description": "compress all layers", "kind": "SolveSlices", "start": 1, "end": 13,
              "seconds": [6, 3, 2, 1], "executors": [0, 0, 0, 0] } ] } ]
      }
      """;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private PrintStream oldOut;
  private PrintStream oldErr;

  @TempDir private Path folder;

  @BeforeEach
  void listen() throws IOException {
    oldOut = System.out;
    oldErr = System.err;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    Files.writeString(folder.resolve("tasks.json"), TASKS);
  }

  @AfterEach
  void stopListening() {
    System.setOut(oldOut);
    System.setErr(oldErr);
  }

  @Test
  void saysHowLongTheRunWouldTakeAndWhatLimitsIt() {
    assertThat(simulate()).isZero();
    assertThat(out.toString(StandardCharsets.UTF_8).lines())
        .anyMatch(
            line ->
                line.equals(
                    "recorded   13.5 s on 1 executor of 1 core; a replay of that gives 13.5 s"))
        .anyMatch(line -> line.startsWith("executors     cores           time  speed-up"))
        .anyMatch(line -> line.startsWith("        1         4          7.5 s       1.0"))
        .anyMatch(line -> line.startsWith("        8        32          7.5 s       1.0"))
        .anyMatch(line -> line.startsWith("      512     2,048          7.5 s       1.0"))
        .anyMatch(
            line ->
                line.startsWith(
                    "serial     7.5 s, 100.00 % of the time on one executor: driver 1.5 s"))
        .anyMatch(line -> line.startsWith("limit      On 512 executors the stage compress"))
        .anyMatch(line -> line.startsWith("assumed    "));
  }

  @Test
  void writesFiguresAndAPlot() throws IOException {
    Path json = folder.resolve("reports/scaling.json");
    Path plot = folder.resolve("reports/scaling.svg");

    int code =
        simulate("--executors=1,2", "--cores=1", "--blocks=4", "--json=" + json, "--plot=" + plot);

    assertThat(code).isZero();
    JsonNode figures = new ObjectMapper().readTree(json.toFile());
    assertThat(figures.path("tasks").asInt()).isEqualTo(8);
    assertThat(figures.path("clusters").path(0).path("seconds").asDouble()).isEqualTo(27);
    assertThat(figures.path("clusters").path(1).path("seconds").asDouble()).isEqualTo(15);
    assertThat(figures.path("clusters").path(1).path("stages").path("compress").asDouble())
        .isEqualTo(12);
    assertThat(figures.path("serial").path("fraction").asDouble()).isEqualTo(9.0 / 27);
    assertThat(figures.path("limit").asText()).startsWith("On 2 executors ");
    assertThat(Files.readString(plot)).startsWith("<svg ").endsWith("</svg>\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--executors=none   | 1 | Invalid value for option '--executors'",
        "--executors=0      | 1 | A cluster has 1 to 1000000 executors",
        "--cores=0          | 1 | of 1 to 1000000 cores; 1 of 0 were asked for",
        "--blocks=0         | 1 | --blocks is 0",
        "--sequences=none   | 1 | Invalid value for option '--sequences'",
        "--shared=2         | 1 | --shared is a part from 0 to 1",
        "--stragglers=-1    | 1 | Stragglers are a share of the tasks from 0 to 1",
      })
  void refusesWhatNoClusterIs(String option, int code, String message) {
    assertThat(simulate(option)).isEqualTo(code);
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("shardpress: ").contains(message);
  }

  @Test
  void refusesARunThatIsNone() throws IOException {
    assertThat(Main.run("simulate")).isEqualTo(1);
    assertThat(Main.run("simulate", folder.resolve("none").toString())).isEqualTo(2);
    Files.writeString(folder.resolve("tasks.json"), TASKS.substring(0, 100));
    assertThat(simulate()).isEqualTo(2);
    Files.writeString(
        folder.resolve("tasks.json"), TASKS.replaceAll("(?s)\"stages\": .*", "\"stages\": [] }"));
    assertThat(simulate()).isEqualTo(2);

    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains(
            "Missing required parameter: '<run>'",
            "There is no file:",
            "tasks.json is not valid JSON",
            "lists no tasks, so that there is nothing to replay.")
        .doesNotContain("\tat ");
  }

  private int simulate(String... options) {
    String[] arguments = new String[options.length + 2];
    arguments[0] = "simulate";
    arguments[1] = folder.toString();
    System.arraycopy(options, 0, arguments, 2, options.length);
    return Main.run(arguments);
  }
}
