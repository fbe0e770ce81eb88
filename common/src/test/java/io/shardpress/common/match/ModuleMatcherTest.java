package io.shardpress.common.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.InputException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModuleMatcherTest {
  private static final String DOWN = "model.layers.3.mlp.down_proj";

  @Test
  void matchesByClassNameGlobAndRegex() {
    assertThat(ModuleMatcher.of("Linear").matches(DOWN, "Linear")).isTrue();
    assertThat(ModuleMatcher.of("Conv1D").matches(DOWN, "Linear")).isFalse();
    assertThat(ModuleMatcher.of(DOWN).matches(DOWN, "Linear")).isTrue();
    assertThat(ModuleMatcher.of("*.down_proj").matches(DOWN, "Linear")).isTrue();
    assertThat(ModuleMatcher.of("model.layers.?.mlp.*").matches(DOWN, "Linear")).isTrue();
    assertThat(ModuleMatcher.of("*.down").matches(DOWN, "Linear")).isFalse();
  }

  @Test
  void regexesAreAnchoredAtTheStartOnly() {
    assertThat(ModuleMatcher.of("re:model\\.layers").matches(DOWN, "Linear")).isTrue();
    assertThat(ModuleMatcher.of("re:layers").matches(DOWN, "Linear")).isFalse();
    assertThat(ModuleMatcher.of("re:.*down_proj$").matches(DOWN, "Linear")).isTrue();
  }

  @Test
  void dotsInNamesAndGlobsAreLiteral() {
    assertThat(ModuleMatcher.of("lm.head").matches("lm_head", "Linear")).isFalse();
    assertThat(ModuleMatcher.of("lm.h*").matches("lm_head", "Linear")).isFalse();
  }

  @Test
  void exactNamesDecideBeforeRegexesInOrderThenGlobsThenClasses() {
    ModuleMatcher all = ModuleMatcher.of("Linear", "*.down_proj", "re:.*z?", "re:.*mlp", DOWN);
    assertThat(all.match(DOWN, "Linear")).contains(DOWN);
    assertThat(ModuleMatcher.of("Linear", "*", "re:b|m", "re:.*").match(DOWN, "Linear"))
        .contains("re:.*");
    assertThat(ModuleMatcher.of("Linear", "*").match(DOWN, "Linear")).contains("*");
  }

  @Test
  void namesThePatternsThatMatchNothing() {
    ModuleMatcher matcher =
        ModuleMatcher.of("Linear", "*.down_proj", "re:.*dwn", "lm_head", "Conv1D", "*.up_proj");

    assertThat(matcher.unmatched(Map.of(DOWN, "Linear")))
        .containsExactly("re:.*dwn", "lm_head", "Conv1D", "*.up_proj");
    assertThat(ModuleMatcher.of("Linear").unmatched(Map.of())).containsExactly("Linear");
  }

  @Test
  void aBrokenRegexIsTheUsersError() {
    assertThatThrownBy(() -> ModuleMatcher.of("re:(down"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("'re:(down' is not a regular expression")
        .hasMessageContaining("glob");
  }
}
