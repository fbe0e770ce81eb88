package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.data.DataSettings;
import io.shardpress.jobs.data.Sample;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.operators.linalg.KernelChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RecipeReaderTest {
  @TempDir private Path folder;

  @Test
  void takesDefaultsFromReferenceConf() {
    Recipe recipe = Recipes.read(folder, "model = /models/a");

    assertThat(recipe.model()).isEqualTo("/models/a");
    assertThat(recipe.steps()).isEmpty();
    assertThat(recipe.calibration())
        .isEqualTo(
            new CalibrationSettings(
                List.of(),
                Optional.empty(),
                128,
                2048,
                CalibrationMode.ONE_PASS,
                CalibrationPrecision.AUTO,
                Sample.FIRST,
                0,
                DataSettings.Bos.AUTO,
                8192,
                new ExpertPolicy(256, 0.005, StarvedExperts.ALL_TOKENS),
                Optional.empty(),
                new DataSize(64_000_000_000L)));
    assertThat(recipe.output())
        .isEqualTo(
            new OutputSettings(
                Optional.empty(), OutputFormat.COMPRESSED_TENSORS, new DataSize(5_000_000_000L)));
    assertThat(recipe.run()).isEqualTo(new RunSettings(0, KernelChoice.AUTO));
    assertThat(recipe.spark()).isEmpty();
  }

  @Test
  void readsTheKernelsToComputeWith() {
    assertThat(Recipes.read(folder, "run.kernels = onednn").run().kernels())
        .isEqualTo(KernelChoice.ONEDNN);
    assertThatThrownBy(() -> Recipes.read(folder, "run.kernels = mkl"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("run.kernels")
        .hasMessageContaining("mkl")
        .hasMessageContaining("openblas");
  }

  @Test
  void putsTheRecipeOverTheDefaults() {
    Recipe recipe =
        Recipes.read(
            folder,
            """
            calibration { data = a.txt, field = body, mode = sequential, experts.starved = fail }
            output { uri = "s3a://bucket/out", format = dense, max-shard-size = 1MiB }
            evaluation { data = [b.txt, c.txt], windows = 3 }
            run.allowed-fallbacks = 2
            """);

    assertThat(recipe.model()).isEmpty();
    assertThat(recipe.calibration().data()).containsExactly("a.txt");
    assertThat(recipe.calibration().field()).contains("body");
    assertThat(recipe.calibration().mode()).isEqualTo(CalibrationMode.SEQUENTIAL);
    assertThat(recipe.calibration().experts())
        .isEqualTo(new ExpertPolicy(256, 0.005, StarvedExperts.FAIL));
    assertThat(recipe.output())
        .isEqualTo(
            new OutputSettings(
                Optional.of("s3a://bucket/out"), OutputFormat.DENSE, new DataSize(1 << 20)));
    assertThat(recipe.evaluation().data()).containsExactly("b.txt", "c.txt");
    assertThat(recipe.evaluation().windows()).contains(3);
    assertThat(recipe.run().allowedFallbacks()).isEqualTo(2);
  }

  @Test
  void resolvesReferencesBetweenKeys() {
    Recipe recipe =
        Recipes.read(folder, "calibration.length = 64, evaluation.length = ${calibration.length}");
    assertThat(recipe.evaluation().length()).isEqualTo(64);
  }

  @Test
  void readsSparkSettingsVerbatim() {
    Recipe recipe =
        Recipes.read(
            folder,
            """
            spark {
              executor { memory = 4g, cores = 2 }
              "locality.wait" = 0s
              locality { "wait.node" = 1s }
              ui.enabled = false
            }
            """);

    assertThat(recipe.spark())
        .isEqualTo(
            Map.of(
                "spark.executor.memory", "4g",
                "spark.executor.cores", "2",
                "spark.locality.wait", "0s",
                "spark.locality.wait.node", "1s",
                "spark.ui.enabled", "false"));
  }

  @Test
  void cutsCalibrationDataIntoChunksOfTheTokensAsked() {
    Recipe recipe =
        Recipes.read(
            folder,
            "calibration { data = a.txt, length = 100, chunk-tokens = 250 }, evaluation.data = b");

    assertThat(recipe.calibration().dataSettings().sequencesPerChunk()).isEqualTo(2);
    assertThat(recipe.calibration().dataSettings().sequences()).contains(128);
    assertThat(recipe.evaluation().dataSettings().sequencesPerChunk()).isEqualTo(4);
    assertThat(recipe.evaluation().dataSettings().sequences()).isEmpty();
  }

  @Test
  void letsTheCommandLineReplaceEvaluationSettings() {
    EvaluationSettings settings =
        Recipes.read(folder, "evaluation { data = a.txt, length = 10, field = x }").evaluation();

    EvaluationSettings replaced =
        settings.with(List.of("b.txt"), Optional.of(20), Optional.of("y"));
    assertThat(replaced.data()).containsExactly("b.txt");
    assertThat(replaced.length()).isEqualTo(20);
    assertThat(replaced.field()).contains("y");
    assertThat(settings.with(List.of(), Optional.empty(), Optional.empty())).isEqualTo(settings);
    assertThatThrownBy(() -> settings.with(List.of(), Optional.of(0), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessage("length = 0: set it to 1 or more.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modle = a                       | unknown key 'modle'. Did you mean 'model'?",
        "calibration.sequence = 1        | unknown key 'calibration.sequence'. Did you mean"
            + " 'sequences'?",
        "calibration.experts.min = 1     | unknown key 'calibration.experts.min'",
        "output.max-shardsize = 1        | Did you mean 'max-shard-size'?",
        "evaluation.mode = one-pass      | unknown key 'evaluation.mode'",
        "run.fallbacks = 1               | unknown key 'run.fallbacks'",
        "defaults.gtpq.bits = 3          | unknown key 'defaults.gtpq'. Did you mean 'gptq'?",
        "defaults.gptq.bitz = 3          | unknown key 'defaults.gptq.bitz'. Did you mean 'bits'?",
        "presets.MINE { bitz = 3 }       | unknown key 'presets.MINE.bitz'. Did you mean 'bits'?",
      })
  void refusesUnknownKeys(String recipe, String message) {
    assertRefused(recipe, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model { a = 1 }                    | 'model' must be the location of one checkpoint",
        "model = [a, b]                     | 'model' must be the location of one checkpoint",
        "calibration = 3                    | 'calibration' must be an object { … }.",
        "spark = yarn                       | 'spark' must be an object { … }.",
        "spark.jars = [a, b]                | 'spark.jars' must be one value",
        "defaults = none                    | 'defaults' must be an object { … }.",
        "defaults.rtn = 4                   | 'defaults.rtn' must be an object { … }.",
        "presets = [W4A16]                  | 'presets' must be an object { … }.",
        "presets.W4A16 = 4                  | 'presets.W4A16' must be an object { … }.",
        "steps { gptq {} }                  | 'steps' must be a list.",
        "calibration.sequences = many       | 'calibration.sequences' must be a whole number, not",
        "calibration.sequences = 0          | sequences = 0: set it to 1 or more.",
        "calibration.length = -1            | length = -1: set it to 1 or more.",
        "calibration.chunk-tokens = 0       | chunk-tokens = 0: set it to 1 or more.",
        "calibration.mode = two-pass        | Use one of one-pass, sequential.",
        "calibration.experts.minimum-share = 2 | minimum-share in [0, 1], not 256 and 2.0",
        "evaluation.windows = 0             | windows = 0: set it to 1 or more.",
        "output.format = gguf               | Use one of compressed-tensors, dense.",
        "output.max-shard-size = big        | 'big' is not a size.",
        "run.allowed-fallbacks = -1         | allowed-fallbacks must be 0 or more, not -1",
      })
  void refusesWrongValues(String recipe, String message) {
    assertRefused(recipe, message);
  }

  @Test
  void namesFileAndLine() {
    assertRefused("model = a\n\noutput.formt = dense", "recipe.conf:3: unknown key 'output.formt'");
  }

  private void assertRefused(String recipe, String message) {
    assertThatThrownBy(() -> Recipes.read(folder, recipe))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }
}
