package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Storage that cannot be reached, and outputs that cannot be written or are taken. */
class BadPlaceTest extends Refusals {

  @ParameterizedTest
  @CsvSource({
    "gs://no-such-bucket/model, connector",
    "hdfs://127.0.0.1:1/model, cannot be reached"
  })
  void model_out_of_reach(String uri, String part) throws IOException {
    compress(recipe(Path.of("ignored"), Recipes.RTN), "--set", "model=" + uri)
        .refused(ENVIRONMENT, uri, part);

    assertNothingPublished();
  }

  @ParameterizedTest
  @CsvSource({
    "gs://no-such-bucket/text.txt, connector",
    "hdfs://127.0.0.1:1/text.txt, cannot be reached"
  })
  void data_out_of_reach(String uri, String part) throws IOException {
    compress(recipe(Home.quickstart(), Recipes.GPTQ), "--set", "calibration.data=" + uri)
        .refused(ENVIRONMENT, part);

    assertNothingPublished();
  }

  @ParameterizedTest
  @CsvSource({"gs://no-such-bucket/out, connector", "hdfs://127.0.0.1:1/out, cannot be reached"})
  void output_out_of_reach(String uri, String part) {
    Cli.run("compress", recipe(Home.quickstart(), Recipes.RTN), "--output", uri)
        .refused(ENVIRONMENT, uri, part);
  }

  @ParameterizedTest
  @CsvSource({
    "'s3a:bucket/model', s3a:bucket/model",
    "file://host/model, host",
    "hdfs://127.0.0.1:1/a/../b, '..'"
  })
  void location_that_is_none(String uri, String part) {
    compress(recipe(Path.of("ignored"), Recipes.RTN), "--set", "model=" + uri).refused(INPUT, part);
  }

  @Test
  void recipe_out_of_reach() {
    Cli.run("compress", "hdfs://127.0.0.1:1/recipe.conf")
        .refused(ENVIRONMENT, "hdfs://127.0.0.1:1/recipe.conf");
  }

  @Test
  void output_that_is_a_file() {
    Folders.write(output(), new byte[] {1, 2, 3});

    compress(recipe(Home.quickstart(), Recipes.RTN))
        .refused(DESTINATION, output().toString(), "file");

    assertThat(Folders.bytes(output())).containsExactly(1, 2, 3);
  }

  @Test
  void output_below_a_file() {
    Path file = folder.resolve("file");
    Folders.write(file, new byte[] {1, 2, 3});

    Cli.run(
            "compress",
            recipe(Home.quickstart(), Recipes.RTN),
            "--output",
            file.resolve("output").toString())
        .refused(DESTINATION, file.toString(), "file");

    assertThat(Folders.bytes(file)).containsExactly(1, 2, 3);
  }

  @Test
  void output_that_may_not_be_written() throws IOException {
    assumeFalse(System.getProperty("user.name").equals("root"), "root may write everywhere");
    Files.createDirectory(
        output(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));

    compress(recipe(Home.quickstart(), Recipes.RTN))
        .refused(DESTINATION, output().toString(), "permissions");

    assertThat(output()).isEmptyDirectory();
  }

  /** Not even root may make a folder there. */
  @Test
  void output_where_no_folder_can_be_made() {
    assumeFalse(!Files.isDirectory(Path.of("/proc/self")), "there is no /proc");

    Cli.run("compress", recipe(Home.quickstart(), Recipes.RTN), "--output", "/proc/self/shardpress")
        .refused(DESTINATION, "/proc/self/shardpress", "Check permissions");
  }

  @Test
  void output_that_is_taken() {
    Folders.write(output().resolve("thesis.txt"), new byte[] {1});
    Map<String, String> before = Folders.hashes(output());
    String recipe = recipe(Home.quickstart(), Recipes.RTN);

    compress(recipe).refused(DESTINATION, output().toString(), "thesis.txt", "--overwrite");
    compress(recipe, "--overwrite").refused(DESTINATION, output().toString(), "did not write");

    assertThat(Folders.hashes(output())).isEqualTo(before);
  }

  @Test
  void output_that_is_the_model() {
    BrokenModel model = model();
    Map<String, String> before = Folders.hashes(model.folder());
    String recipe = recipe(model.folder(), Recipes.RTN);

    for (String place : new String[] {"", "/.", "/../model"}) {
      Cli.run("compress", recipe, "--output", model.folder() + place, "--overwrite")
          .refused(DESTINATION, model.folder().toString());
    }

    assertThat(Folders.hashes(model.folder())).isEqualTo(before);
  }

  /** A plain checkpoint that we wrote may be compressed again, but never over itself. */
  @Test
  void output_that_is_the_model_and_ours() {
    Path dense = folder.resolve("dense");
    String first = recipe(Home.quickstart(), Recipes.RTN);
    Cli.run(
            "compress",
            first,
            "--set",
            "output.format=dense",
            "--set",
            "evaluation.data=[]",
            "--output",
            dense.toString())
        .succeeded();
    Map<String, String> before = Folders.hashes(dense);

    Cli.run("compress", recipe(dense, Recipes.RTN), "--overwrite", "--output", dense.toString())
        .refused(DESTINATION, dense.toString());

    assertThat(Folders.hashes(dense)).isEqualTo(before);
  }

  /** What is there is worth more than a run that cannot begin. */
  @Test
  void a_refused_run_does_not_cost_the_checkpoint_it_was_to_replace() {
    String recipe = recipe(Home.quickstart(), Recipes.RTN);
    compress(recipe, "--set", "evaluation.data=[]").succeeded();
    Map<String, String> before = Folders.hashes(output());

    compress(recipe, "--overwrite", "--set", "steps.0.rtn.group-size=100").refused(INPUT, "100");
    compress(recipe, "--overwrite", "--set", "evaluation.data=none.txt").refused(INPUT, "none.txt");

    assertThat(Folders.hashes(output())).isEqualTo(before);
    Cli.run("verify", recipe, "--output", output().toString()).succeeded();
  }

  @Test
  void a_failed_run_can_be_started_again() throws IOException {
    String recipe = recipe(Home.quickstart(), Recipes.RTN);
    compress(recipe, "--set", "steps.0.rtn.group-size=100").refused(INPUT, "100");
    assertThat(output().resolve("run.json")).exists();

    compress(recipe, "--set", "evaluation.data=[]").succeeded();

    assertThat(output().resolve("_SUCCESS.json")).exists();
  }

  @Test
  void report_that_cannot_be_written() {
    Path file = folder.resolve("file");
    Folders.write(file, new byte[] {1});

    Cli.run(
            "plan",
            recipe(Home.quickstart(), Recipes.RTN),
            "--json",
            file.resolve("plan.json").toString())
        .refused(DESTINATION, file.toString());
  }
}
