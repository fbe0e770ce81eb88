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
  void one_two_and_three_cores_publish_the_same_files() {
    Map<String, String> one = compress("sequential", 1);

    assertThat(one).containsKeys("model-00001-of-00003.safetensors", "config.json");
    assertThat(compress("sequential", 2)).isEqualTo(one);
    assertThat(compress("sequential", 3)).isEqualTo(one);
  }

  @Test
  void one_pass_over_the_data_does_so_too() {
    assertThat(compress("one-pass", 3)).isEqualTo(compress("one-pass", 1));
  }

  private Map<String, String> compress(String mode, int cores) {
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
            "--output",
            output.toString())
        .succeeded();
    return Folders.hashes(output, "run.json", "tasks.json", "_SUCCESS.json");
  }
}
