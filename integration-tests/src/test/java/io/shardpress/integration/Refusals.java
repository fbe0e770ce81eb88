package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;

/** What tests of bad input share: a run that must be refused and must leave nothing behind. */
abstract class Refusals {
  static final int USAGE = 1;
  static final int INPUT = 2;
  static final int ENVIRONMENT = 3;
  static final int DESTINATION = 5;

  @TempDir Path folder;

  Path output() {
    return folder.resolve("output");
  }

  BrokenModel model() {
    return BrokenModel.in(folder.resolve("model"));
  }

  String recipe(Path model, String step) {
    return Recipes.write(folder.resolve("recipe.conf"), model, step);
  }

  /** Compresses into {@link #output()} with further options. */
  Cli.Result compress(String recipe, String... options) {
    List<String> command = new ArrayList<>(List.of("compress", recipe));
    command.addAll(List.of("--output", output().toString()));
    command.addAll(List.of(options));
    return Cli.run(command.toArray(String[]::new));
  }

  /** Compressing {@code model} is refused for what lies in its folder, which stays as it is. */
  void refuses(BrokenModel model, String step, int code, String... parts) throws IOException {
    Map<String, String> before = Folders.hashes(model.folder());

    compress(recipe(model.folder(), step)).refused(code, parts);

    assertNothingPublished();
    assertThat(Folders.hashes(model.folder())).as("the source").isEqualTo(before);
  }

  /** At most the record of a failed run lies where the checkpoint would have been. */
  void assertNothingPublished() throws IOException {
    assertThat(Folders.files(output())).isSubsetOf("run.json");
    if (output().resolve("run.json").toFile().exists()) {
      JsonNode run = new ObjectMapper().readTree(output().resolve("run.json").toFile());
      assertThat(run.path("status").asText()).isEqualTo("failed");
      RunRecordSchema.check(run);
    }
    assertThat(output().resolve("_staging")).doesNotExist();
  }
}
