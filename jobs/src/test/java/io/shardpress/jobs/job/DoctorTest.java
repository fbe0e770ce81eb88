package io.shardpress.jobs.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.jobs.fixture.TinyCheckpoint;
import io.shardpress.jobs.job.Doctor.Finding;
import io.shardpress.jobs.job.Doctor.Health;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {
  @TempDir private Path folder;

  @Test
  void looksAtTheProcessWithoutARecipe() {
    List<Finding> findings = examine("");

    assertThat(findings)
        .extracting(Finding::what)
        .contains("java", "spark", "kernels", "native cache", "memory")
        .doesNotContain("model", "output")
        .doesNotHaveDuplicates();
    assertThat(findings).extracting(Finding::health).containsOnly(Health.OK);
  }

  @Test
  void saysWhichKernelsLoadAndWhichComputes() {
    assertThat(finding("", "kernels").state())
        .startsWith("oneDNN ")
        .endsWith("(run.kernels = auto)");
    assertThat(finding("run.kernels = openblas", "kernels").state())
        .startsWith("OpenBLAS ")
        .endsWith("(run.kernels = openblas)");
    for (String provider : List.of("onednn", "openblas", "java")) {
      assertThat(finding("", "  " + provider).text()).matches("ok +" + provider + " +loads");
    }
  }

  @Test
  void warnsOfAFolderThatLibrariesCannotBeUnpackedInto() throws IOException {
    assertThat(NativeChecks.cache(folder.resolve("new")).health()).isEqualTo(Health.OK);
    assertThat(NativeChecks.cache(folder.resolve("new")).state()).contains("new, ", " free");

    Path file = Files.writeString(folder.resolve("file"), "x");
    Finding found = NativeChecks.cache(file.resolve("natives"));
    assertThat(found.health()).isEqualTo(Health.WARN);
    assertThat(found.state())
        .startsWith(file.resolve("natives") + " cannot be made: ")
        .contains("libraries take 600.0 MB: set SHARDPRESS_NATIVES (or -Dorg.bytedeco.javacpp");
  }

  @Test
  void opensTheModel() {
    TinyCheckpoint.llama(1).writeSharded(folder.resolve("m"));
    Finding model = finding("model = " + folder.resolve("m"), "model");
    assertThat(model.health()).isEqualTo(Health.OK);
    assertThat(model.state()).endsWith("/m: 21 tensors in 2 files");
  }

  @Test
  void saysWhatIsWrongWithTheModel() {
    Finding model = finding("model = " + folder.resolve("none"), "model");
    assertThat(model.health()).isEqualTo(Health.FAIL);
    assertThat(model.text()).startsWith("FAIL model        There is no checkpoint in ");
  }

  @Test
  void triesTheOutputAndLeavesNoTrace() {
    Path output = folder.resolve("a/b/out");
    Finding found = finding("output.uri = " + output, "output");

    assertThat(found.health()).isEqualTo(Health.OK);
    assertThat(found.state()).endsWith("out: can be written, listed and deleted");
    assertThat(folder.resolve("a")).doesNotExist();
  }

  @Test
  void saysWhetherTwoWritersCanCreateOneFile() {
    Finding found = finding("output.uri = " + folder.resolve("a/out"), "creation");

    assertThat(found.health()).isEqualTo(Health.OK);
    assertThat(found.state()).endsWith("one wins");
    assertThat(folder.resolve("a")).doesNotExist();
  }

  @Test
  void leavesAnOutputThatIsThereAsItWas() throws IOException {
    Path output = Files.createDirectory(folder.resolve("out"));
    Files.writeString(output.resolve("x"), "x");

    assertThat(finding("output.uri = " + output, "output").health()).isEqualTo(Health.OK);
    assertThat(output.toFile().list()).containsExactly("x");
  }

  @Test
  void saysWhyTheOutputCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    Finding found = finding("output.uri = " + file.resolve("out"), "output");
    assertThat(found.health()).isEqualTo(Health.FAIL);
    assertThat(found.state()).contains(file.toString());
  }

  @Test
  void pointsToUnfinishedRuns() throws IOException {
    Path output = folder.resolve("out");
    Files.createDirectories(output.resolve("_staging/one"));
    Files.createDirectories(output.resolve("_staging/two"));

    Finding found = finding("output.uri = " + output, "leftovers");
    assertThat(found.health()).isEqualTo(Health.OK);
    assertThat(found.state()).startsWith("2 unfinished runs in ");
  }

  private Finding finding(String recipe, String what) {
    return examine(recipe).stream()
        .filter(finding -> finding.what().equals(what))
        .findFirst()
        .orElseThrow();
  }

  private List<Finding> examine(String recipe) {
    return Doctor.examine(TinyCheckpoint.store(), Recipes.read(folder, recipe));
  }
}
