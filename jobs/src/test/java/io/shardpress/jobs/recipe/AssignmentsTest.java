package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.error.UsageException;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.operators.compression.Gptq;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AssignmentsTest {
  private static final String STEPS = "steps = [ { rtn {} }, { gptq { bits = 8 } } ]\n";

  @TempDir private Path folder;

  @Test
  void winsOverTheRecipe() {
    Recipe recipe =
        Recipes.read(folder, "calibration.length = 10", "calibration.length=20", "model = /m");
    assertThat(recipe.calibration().length()).isEqualTo(20);
    assertThat(recipe.model()).isEqualTo("/m");
  }

  @Test
  void isMadeInOrder() {
    assertThat(read("run.allowed-fallbacks=1", "run.allowed-fallbacks=2").run().allowedFallbacks())
        .isEqualTo(2);
  }

  @Test
  void picksListElementsByNumber() {
    Recipe recipe = read("steps.1.gptq.bits=3", "steps.1.gptq.scheme=W2A16");
    assertThat(((Gptq) recipe.steps().get(1).settings()).bits()).isEqualTo(3);
    assertThat(recipe.steps().get(0).algorithm()).isEqualTo("rtn");
  }

  @Test
  void replacesWholeLists() {
    assertThat(read("steps=[{rtn{bits=3}}]").steps()).hasSize(1);
    assertThat(read("calibration.data=[\"a.txt\", \"b.txt\"]").calibration().data())
        .containsExactly("a.txt", "b.txt");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3a://models/llama-3-8b",
        "/models/a=b",
        "C:\\models",
        "models/${HOME}",
        "a, b",
        "# no comment",
        "truely",
        "1.2.3",
        "5GB"
      })
  void takesPlainStringsAsTheyAre(String value) {
    assertThat(read("model=" + value).model()).isEqualTo(value);
  }

  @Test
  void takesQuotedStringsAsHocon() {
    assertThat(read("model=\"[odd] name\"").model()).isEqualTo("[odd] name");
  }

  @Test
  void takesNullAsAbsent() {
    Recipe recipe = Recipes.read(folder, "output.uri = /out", "output.uri=null");
    assertThat(recipe.output().uri()).isEmpty();
  }

  @Test
  void makesSectionsThatWereNot() {
    assertThat(read("spark.executor.memory=4g").spark())
        .containsEntry("spark.executor.memory", "4g");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "=3", ""})
  void refusesWhatIsNoAssignment(String assignment) {
    assertUsage(assignment, "--set needs key=value, not '%s'.".formatted(assignment));
  }

  @Test
  void refusesAKeyThatIsNone() {
    assertUsage("calibration..length=3", "--set calibration..length=3: 'calibration..length' is");
  }

  @Test
  void refusesElementsThatAreNot() {
    assertUsage("steps.2.rtn.bits=3", "'2' does not pick an element of the list. Write a number");
    assertUsage("steps.2.rtn.bits=3", "from 0 to 1.");
    assertUsage("steps.rtn.bits=3", "'rtn' does not pick an element of the list.");
    assertUsage("calibration.data.0=a.txt", "the list is empty, so '0' picks nothing.");
  }

  @Test
  void refusesUnknownKeysAndSaysWhere() {
    assertThatThrownBy(() -> read("calibration.lenght=3"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--set: unknown key 'calibration.lenght'. Did you mean 'length'?");
  }

  @Test
  void refusesHoconThatIsBroken() {
    assertThatThrownBy(() -> read("steps=[{rtn"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--set is not valid HOCON");
  }

  @Test
  void worksWithoutARecipe() {
    assertThat(RecipeReader.ofAssignments(java.util.List.of("model=/m")).model()).isEqualTo("/m");
  }

  private Recipe read(String... assignments) {
    return Recipes.read(folder, STEPS, assignments);
  }

  private void assertUsage(String assignment, String message) {
    assertThatThrownBy(() -> read(assignment))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "=1",
        "a",
        "",
        "..=1",
        "a..b=1",
        ".a=1",
        "a.=1",
        "\"=1",
        "${a}=1",
        "a{=1",
        "a[0]=1",
        "a=[",
        "a={b",
        "a=\"",
        "a=[${NO_SUCH_VARIABLE_AT_ALL}]",
        "a=\"x\"${value}",
        "a=[${value}]",
        "a={include \"/etc/passwd\"}",
        "a=[{include file(\"/etc/passwd\")}]",
        "a={x:}}",
        "steps.99.rtn.bits=3",
        "steps.-1.rtn.bits=3",
        "steps.x=1",
        "steps.18446744073709551615=1"
      })
  void hostileAssignmentsAreRefusedWithOneShortParagraph(String assignment) {
    assertThatThrownBy(() -> RecipeReader.ofAssignments(List.of(assignment)))
        .as(assignment)
        .isInstanceOf(ShardpressException.class)
        .message()
        .hasSizeLessThan(1_000);
  }

  @Test
  void bombsOnTheCommandLineAreRefused() {
    for (String assignment :
        new String[] {
          "a" + ".a".repeat(30_000) + "=1",
          "a=" + "[".repeat(30_000),
          "a=" + "{a:".repeat(15_000) + "1" + "}".repeat(15_000),
          "a=" + "[[]".repeat(20_000),
          "a={x0:[1]," + "x0:${x0}${x0},".repeat(1_000) + "}",
          "k".repeat(100_000) + "=1",
          "k".repeat(60_000) + "=1",
          "calibration.k" + "k".repeat(60_000) + "=1",
          "calibration.sequences=" + "9".repeat(60_000)
        }) {
      assertThatThrownBy(() -> RecipeReader.ofAssignments(List.of(assignment)))
          .as(assignment.substring(0, 20))
          .isInstanceOf(ShardpressException.class)
          .message()
          .hasSizeLessThan(2_000);
    }
  }
}
