package io.shardpress.jobs.resume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.ResumeRefusedException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.resume.UnfinishedRuns.Earlier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnfinishedRunsTest {
  private static final String RECIPE =
      "model = m, steps = [ { gptq { bits = 4 } } ], calibration.sequences = 8\n";

  private final HadoopStore store = TinyCheckpoint.store();
  private final UUID first = UUID.randomUUID();

  @TempDir private Path folder;
  private UnfinishedRuns runs;

  @BeforeEach
  void places() {
    runs = new UnfinishedRuns(store, Location.of(folder.resolve("out").toString()));
  }

  @Test
  void goesOnWithTheSameRun() {
    assertThat(runs.any()).isFalse();
    assertThat(runs.enter(identity(RECIPE), Earlier.RESUME, first)).isEqualTo(first);
    assertThat(runs.any()).isTrue();
    assertThat(runs.enter(identity(RECIPE), Earlier.RESUME, UUID.randomUUID())).isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "calibration.sequences = 9         | calibration.sequences was 8 and is 9",
        "steps = [ { gptq { bits = 3 } } ] | steps.0.gptq.bits was 4 and is 3",
        "steps = [ { rtn { bits = 4 } } ]  | steps.0.gptq.bits was 4 and is absent",
        "defaults.gptq.damping = 0.05      | defaults.gptq.damping was 0.01 and is 0.05",
        "output.format = dense             | output.format was \"compressed-tensors\" and is",
        "run.kernels = java                | run.kernels was auto and is java",
      })
  void refusesAnotherRecipeAndNamesWhatDiffers(String change, String message) {
    runs.enter(identity(RECIPE), Earlier.RESUME, first);
    RunIdentity other = identity(RECIPE + change);
    assertThatThrownBy(() -> runs.enter(other, Earlier.RESUME, UUID.randomUUID()))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("add --restart");
    assertThat(runs.ids()).containsExactly(first);
  }

  @Test
  void refusesAnotherModelAndOtherData() {
    runs.enter(identity(RECIPE, "model 1", "data 1"), Earlier.RESUME, first);
    assertThatThrownBy(() -> enter(identity(RECIPE, "model 2", "data 1")))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining("model was model 1 and is model 2");
    assertThatThrownBy(() -> enter(identity(RECIPE, "model 1", "data 2")))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining("calibration data was data 1 and is data 2");
  }

  @Test
  void doesNotCareWhereThingsLieAndHowTheyAreLookedAt() {
    runs.enter(identity(RECIPE), Earlier.RESUME, first);
    assertThat(
            enter(
                identity(
                    RECIPE
                        + "model = elsewhere, output.uri = other, spark.executor.cores = 3,"
                        + " evaluation.length = 7, calibration.data = moved.txt")))
        .isEqualTo(first);
  }

  @Test
  void startsAnewWhereItIsTold() throws IOException {
    runs.enter(identity(RECIPE), Earlier.RESUME, first);
    UUID second = UUID.randomUUID();
    assertThat(runs.enter(identity(RECIPE), Earlier.DISCARD, second)).isEqualTo(second);
    assertThat(runs.ids()).containsExactly(second);
  }

  @Test
  void removesWhatWasKilledBeforeItHadAnIdentity() throws IOException {
    Path torn = folder.resolve("out/_staging/" + first);
    Files.createDirectories(torn.resolve("tokens"));
    Files.writeString(torn.resolve("identity.json"), "{\"model\":");
    UUID second = UUID.randomUUID();
    assertThat(runs.enter(identity(RECIPE), Earlier.RESUME, second)).isEqualTo(second);
    assertThat(torn).doesNotExist();
  }

  @Test
  void refusesAnIdentityThatWasChanged() throws IOException {
    runs.enter(identity(RECIPE), Earlier.RESUME, first);
    Path file = folder.resolve("out/_staging/" + first + "/identity.json");
    Files.writeString(file, Files.readString(file).replace("model 1", "model 2"));
    assertThatThrownBy(() -> enter(identity(RECIPE)))
        .isInstanceOf(ResumeRefusedException.class)
        .hasMessageContaining("was changed after it was written");
  }

  private UUID enter(RunIdentity identity) {
    return runs.enter(identity, Earlier.RESUME, UUID.randomUUID());
  }

  private RunIdentity identity(String recipe) {
    return identity(recipe, "model 1", "data 1");
  }

  private RunIdentity identity(String recipe, String model, String data) {
    return RunIdentity.of(Recipes.read(folder, recipe), model, Optional.of(data));
  }
}
