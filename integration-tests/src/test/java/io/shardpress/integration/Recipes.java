package io.shardpress.integration;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Recipes small enough for a run of seconds. */
final class Recipes {
  static final String GPTQ = "{ gptq { scheme = W4A16 } }";
  static final String RTN = "{ rtn { scheme = W4A16 } }";

  private Recipes() {}

  /** Writes a recipe for the quickstart's texts and returns its path. */
  static String write(Path file, Path model, String step) {
    String text =
        """
        model = "%s"
        calibration {
          data = "%s"
          sequences = 8, length = 64, chunk-tokens = 128, mode = sequential
        }
        steps = [
          %s
        ]
        evaluation { data = "%s", length = 64, windows = 4, chunk-tokens = 128 }
        spark { master = "local[2]", ui.enabled = false }
        """
            .formatted(
                model,
                Home.quickstart().resolve("calibration.txt"),
                step,
                Home.quickstart().resolve("evaluation.txt"));
    Folders.write(file, text.getBytes(StandardCharsets.UTF_8));
    return file.toString();
  }
}
