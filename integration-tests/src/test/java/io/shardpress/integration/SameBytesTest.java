package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Neither the number of cores nor the order of tasks is part of the result. */
class SameBytesTest {
  @TempDir private Path folder;

  @Test
  void one_two_three_and_eight_cores_publish_the_same_files() {
    Map<String, String> one = compress("sequential", 1);

    assertThat(one).containsKeys("model-00001-of-00003.safetensors", "config.json");
    assertThat(compress("sequential", 2)).isEqualTo(one);
    assertThat(compress("sequential", 3)).isEqualTo(one);
    assertThat(compress("sequential", 8)).isEqualTo(one);
  }

  @Test
  void one_pass_over_the_data_does_so_too_however_many_passes_it_takes() {
    Map<String, String> one = compress("one-pass", 1);

    assertThat(compress("one-pass", 3)).isEqualTo(one);
    assertThat(compress("one-pass", 8, "calibration.scratch-size=1MB")).isEqualTo(one);
  }

  @Test
  void the_order_in_which_data_are_named_does_not_count() {
    String first = Home.quickstart().resolve("calibration.txt").toString();
    String second = Home.quickstart().resolve("evaluation.txt").toString();

    assertThat(compress("one-pass", 2, data(second, first)))
        .isEqualTo(compress("one-pass", 3, data(first, second)));
  }

  private static String data(String first, String second) {
    return "calibration.data=[\"%s\", \"%s\"]".formatted(first, second);
  }

  private Map<String, String> compress(String mode, int cores) {
    return compress(mode, cores, "calibration.mode=" + mode);
  }

  private Map<String, String> compress(String mode, int cores, String assignment) {
    Path output = folder.resolve(mode + cores);
    String recipe = Recipes.write(folder.resolve("recipe.conf"), Home.quickstart(), Recipes.GPTQ);
    Cli.run(
            "compress",
            recipe,
            "--set",
            "calibration.mode=" + mode,
            "--set",
            "spark.master=local[%d]".formatted(cores),
            "--set",
            "output.max-shard-size=1MB",
            "--set",
            "evaluation.data=[]",
            "--set",
            assignment,
            "--output",
            output.toString())
        .succeeded();
    return Folders.hashes(output, "run.json", "tasks.json", "_SUCCESS.json");
  }
}
