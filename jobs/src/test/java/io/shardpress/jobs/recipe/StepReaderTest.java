package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import io.shardpress.jobs.fixture.Recipes;
import io.shardpress.operators.compression.Clip;
import io.shardpress.operators.compression.Gptq;
import io.shardpress.operators.compression.GroupSize;
import io.shardpress.operators.compression.Rtn;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepReaderTest {
  private static final String DOWN = "model.layers.0.mlp.down_proj";
  private static final String UP = "model.layers.0.mlp.up_proj";

  @TempDir private Path folder;

  @Test
  void isTheDefaultsWhereNothingIsSaid() {
    Step step = only("{ gptq {} }");

    assertThat(step.algorithm()).isEqualTo("gptq");
    assertThat(step.settings()).isEqualTo(Gptq.of(4, GroupSize.of(128)));
    assertThat(step.decide(UP, "Linear").settings()).contains(step.settings());
    assertThat(step.decide("lm_head", "Linear").settings()).isEmpty();
    assertThat(only("{ rtn {} }").settings()).isEqualTo(Rtn.of(4, GroupSize.of(128)));
  }

  @Test
  void layersDefaultsPresetStepAndOverride() {
    String defaults =
        """
        defaults.rtn { bits = 2, group-size = 16, symmetric = false, clip = absmax }
        presets.MINE { bits = 3, group-size = 32, symmetric = true }
        """;
    String step =
        """
        { rtn { scheme = MINE, bits = 4, overrides = [
            { targets = "*.down_proj", bits = 8 }, { targets = "*.up_proj", scheme = MINE } ] } }
        """;
    Step read = Recipes.read(folder, defaults + "steps = [ " + step + " ]").steps().get(0);

    Rtn settings = (Rtn) read.settings();
    assertThat(settings.clip()).as("from the defaults").isEqualTo(Clip.ABSMAX);
    assertThat(settings.groupSize()).as("from the preset").isEqualTo(GroupSize.of(32));
    assertThat(settings.symmetric()).as("from the preset").isTrue();
    assertThat(settings.bits()).as("from the step").isEqualTo(4);
    Rtn down = (Rtn) read.decide(DOWN, "Linear").settings().orElseThrow();
    assertThat(down.bits()).as("from the override").isEqualTo(8);
    assertThat(down.groupSize()).as("from the step below it").isEqualTo(GroupSize.of(32));
    Rtn up = (Rtn) read.decide(UP, "Linear").settings().orElseThrow();
    assertThat(up.bits()).as("an override's own preset wins over its step").isEqualTo(3);
  }

  @Test
  void readsEveryPresetOfReferenceConf() {
    assertThat(scheme("W8A16")).isEqualTo(Rtn.of(8, GroupSize.of(128)));
    assertThat(scheme("W2A16")).isEqualTo(Rtn.of(2, GroupSize.of(128)));
    assertThat(scheme("W3A16_ASYM").symmetric()).isFalse();
    assertThat(scheme("W8_CHANNEL").groupSize()).isEqualTo(GroupSize.CHANNEL);
  }

  @Test
  void readsClipByNameOrInFull() {
    assertThat(((Rtn) only("{ rtn { clip = absmax } }").settings()).clip()).isEqualTo(Clip.ABSMAX);
    String full = "{ rtn { clip { method = mse, grid = 10, max-shrink = 0.5, norm = 2 } } }";
    assertThat(((Rtn) only(full).settings()).clip())
        .isEqualTo(new Clip(Clip.Method.MSE, 10, 0.5, 2));
  }

  @Test
  void letsIgnoreWinOverTargets() {
    Step step = only("{ rtn { targets = [Linear], ignore = [\"re:.*down\", lm_head] } }");
    assertThat(step.decide(DOWN, "Linear").settings()).isEmpty();
    assertThat(step.decide(UP, "Linear").settings()).isPresent();
  }

  @Test
  void compressesTheHeadWhenNothingIsIgnored() {
    Step step = only("{ rtn { ignore = [] } }");
    assertThat(step.decide("lm_head", "Linear").settings()).isPresent();
  }

  @Test
  void takesTheFirstOverrideThatMatches() {
    Step step =
        only(
            "{ rtn { overrides = [ { targets = \"*.mlp.*\", bits = 8 },"
                + " { targets = \"*.down_proj\", bits = 3 } ] } }");
    assertThat(((Rtn) step.decide(DOWN, "Linear").settings().orElseThrow()).bits()).isEqualTo(8);
  }

  @Test
  void keepsStepsInTheirOrder() {
    List<Step> steps =
        Recipes.read(folder, "steps = [ { gptq {} }, { rtn {} }, { gptq {} } ]").steps();
    assertThat(steps).extracting(Step::algorithm).containsExactly("gptq", "rtn", "gptq");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ gtpq {} }                      | unknown key 'steps.0.gtpq'. Did you mean 'gptq'?",
        "{ rtn {}, gptq {} }              | 'steps.0' must hold one algorithm",
        "{ }                              | 'steps.0' must hold one algorithm",
        "rtn                              | 'steps.0' must hold one algorithm",
        "{ rtn = W4A16 }                  | 'steps.0' must hold one algorithm",
        "{ rtn { target = [Linear] } }    | unknown key 'steps.0.rtn.target'. Did you mean"
            + " 'targets'?",
        "{ rtn { damping = 0.1 } }        | unknown key 'steps.0.rtn.damping'.",
        "{ rtn { scheme = W4A61 } }       | names no preset: 'W4A61'. Did you mean 'W4A16'? Known:"
            + " W2A16,",
        "{ rtn { bits = 5 } }             | 'steps.0.rtn': ",
        "{ rtn { targets = [3] } }        | 'targets' must be a list of module names",
        "{ rtn { targets = [\"re:(\"] } } | is not a regular expression",
        "{ rtn { overrides { bits = 3 } } } | 'steps.0.rtn.overrides' must be a list.",
        "{ rtn { overrides = [ { bits = 3 } ] } } | 'steps.0.rtn.overrides.0' has no targets.",
        "{ rtn { overrides = [ 3 ] } }    | 'steps.0.rtn.overrides.0' must be an object such as",
        "{ rtn { overrides = [ { targets = a, ignore = b } ] } } | unknown key"
            + " 'steps.0.rtn.overrides.0.ignore'",
        "{ rtn { overrides = [ { targets = a, bitz = 3 } ] } } | unknown key"
            + " 'steps.0.rtn.overrides.0.bitz'. Did you mean 'bits'?",
      })
  void refusesWhatItCannotRead(String step, String message) {
    assertThatThrownBy(() -> only(step))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("recipe.conf:1: ")
        .hasMessageContaining(message);
  }

  private Rtn scheme(String preset) {
    return (Rtn) only("{ rtn { scheme = " + preset + " } }").settings();
  }

  private Step only(String step) {
    return Recipes.read(folder, "steps = [ " + step + " ]").steps().get(0);
  }
}
