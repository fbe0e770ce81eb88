package io.shardpress.jobs.costs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.run.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunCostsReaderTest {
  private static final RunCosts COSTS =
      new RunCosts(
          RunCosts.FORMAT,
          "7",
          2,
          4,
          2,
          1,
          List.of("1@a", "2@b"),
          9.5,
          List.of(
              new StageCosts("plan", 0, 1, List.of()),
              new StageCosts(
                  "compress",
                  1.5,
                  9,
                  List.of(
                      new JobCosts(
                          "layers", "SolveSlices", 2, 8, List.of(6.0, 0.25), List.of(1, 0))))));

  private final HadoopStore store = HadoopStore.of(new Configuration());

  @TempDir private Path folder;

  @Test
  void readsWhatIsWrittenByFolderOrFile() throws IOException {
    Path file = Files.writeString(folder.resolve("tasks.json"), Json.text(COSTS));

    assertThat(RunCostsReader.read(store, Location.of(folder.toString()))).isEqualTo(COSTS);
    assertThat(RunCostsReader.read(store, Location.of(file.toString()))).isEqualTo(COSTS);
  }

  @Test
  void keepsTheTasksOfAJobOnOneLine() {
    assertThat(Json.text(COSTS)).contains("\"seconds\" : [ 6.0, 0.25 ],\n");
  }

  @Test
  void readsWhatALaterVersionHasAdded() {
    assertThat(parse(Json.text(COSTS).replaceFirst("\\{", "{ \"bytes\" : [ 1 ],")))
        .isEqualTo(COSTS);
  }

  @Test
  void saysWhereTheRecordOfARunIs() {
    assertThatThrownBy(() -> RunCostsReader.read(store, Location.of(folder.toString())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("There is no file:")
        .hasMessageContaining("tasks.json. Name the folder that a complete run of");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "tasks/1                | tasks/2                 | its format is 'shardpress-tasks/2', and"
            + " only 'shardpress-tasks/1' is read",
        "\"format\" :           | \"fromat\" :            | 'format' is missing",
        "\"run_id\" : \"7\"     | \"run_id\" : 7          | 7 stands where text is needed",
        "\"blocks\" : 2         | \"blocks\" : 2.5        | 2.5 stands where a whole number is"
            + " needed",
        "\"blocks\" : 2         | \"blocks\" : -2         | -2 blocks",
        "\"cores_per_task\" : 1 | \"cores_per_task\" : 0  | 0 per task",
        "\"sequences\" : 4      | \"sequences\" : 1e99    | stands where a whole number is needed",
        "[ 6.0, 0.25 ]          | [ 6.0 ]                 | has the seconds of 1 tasks and the"
            + " executors of 2",
        "[ 6.0, 0.25 ]          | [ 6.0, \"x\" ]          | \"x\" stands where a number is needed",
        "[ 6.0, 0.25 ]          | [ 6.0, null ]           | null stands where a number is needed",
        "[ 6.0, 0.25 ]          | [ 6.0, -1 ]             | A task of the job 'layers' goes from"
            + " 0.0 s to -1.0 s",
        "[ 6.0, 0.25 ]          | [ 6.0, 1e999 ]          | goes from 0.0 s to Infinity s",
        "[ 6.0, 0.25 ]          | 6                       | 'seconds' is not a list",
        "[ 1, 0 ]               | [ 1, 2 ]                | ran on executor 2 of 2",
        "\"end\" : 8.0          | \"end\" : 1.0           | The job 'layers' goes from 2.0 s to 1.0"
            + " s",
        "\"end\" : 8.0          | \"end\" : 80            | The job 'layers' (2.0 s to 80.0 s) is"
            + " not between",
        "\"end\" : 9.0          | \"end\" : 90            | The stage 'compress' (1.5 s to 90.0 s)"
            + " is not between",
      })
  void refusesWhatIsDamaged(String was, String is, String why) {
    String good = Json.text(COSTS);
    assertThat(good).contains(was);
    assertThatThrownBy(() -> parse(good.replace(was, is)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("tasks.json is not the record of a run's tasks: ")
        .hasMessageContaining(why)
        .hasMessageEndingWith("Give that of another run, or run again.");
  }

  @Test
  void refusesAFileThatEndsTooEarly() {
    String good = Json.text(COSTS).strip();
    for (int length = 0; length < good.length(); length++) {
      String cut = good.substring(0, length);
      assertThatThrownBy(() -> parse(cut)).isInstanceOf(InputException.class);
    }
  }

  @Test
  void refusesAJobWithoutTasks() {
    assertThatThrownBy(() -> new JobCosts("none", "None", 0, 1, List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The job 'none' has no task");
  }

  private static RunCosts parse(String json) {
    return RunCostsReader.parse("tasks.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
