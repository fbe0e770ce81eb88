package io.shardpress.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Stacked steps, and thresholds over all weights, do not depend on the number of cores either. */
class SamePrunedBytesTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{ sparsegpt { pattern = \"2:4\" } }, { gptq { scheme = W4A16 } }",
        "{ magnitude { sparsity = 0.5, scope = global, targets = \"re:.*mlp.*\" } },"
            + " { wanda { sparsity = 0.5, budget = owl, targets = \"re:.*self_attn.*\" } },"
            + " { refit {} }"
      })
  void one_two_and_three_cores_publish_the_same_files(String steps) {
    Map<String, String> one = compress(steps, 1);

    assertThat(one).containsKeys("model.safetensors", "config.json");
    assertThat(compress(steps, 2)).isEqualTo(one);
    assertThat(compress(steps, 3)).isEqualTo(one);
  }

  private Map<String, String> compress(String steps, int cores) {
    Path output = folder.resolve("out" + cores);
    String recipe = Recipes.write(folder.resolve("recipe.conf"), Home.quickstart(), steps);
    Cli.run(
            "compress",
            recipe,
            "--set",
            "calibration.mode=one-pass",
            "--set",
            "spark.master=local[%d]".formatted(cores),
            "--set",
            "evaluation.data=[]",
            "--output",
            output.toString())
        .succeeded();
    return Folders.hashes(output, "run.json", "tasks.json", "_SUCCESS.json");
  }
}
