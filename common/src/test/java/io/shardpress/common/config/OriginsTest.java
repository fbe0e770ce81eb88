package io.shardpress.common.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import org.junit.jupiter.api.Test;

class OriginsTest {
  private static final Config RECIPE = Hocon.parse("a = 1\nsection {\n b = 2 }\n", "recipe.conf");

  @Test
  void aValueIsWhereItWasWritten() {
    assertThat(Origins.of(RECIPE.getValue("section.b"))).isEqualTo("recipe.conf:3");
  }

  @Test
  void aMergedObjectIsWhereItsStrongestSourceIs() {
    Config merged = RECIPE.withFallback(Hocon.parse("section { c = 3 }", "reference.conf"));
    assertThat(Origins.of(merged.getValue("section"))).isEqualTo("recipe.conf:2");
  }

  @Test
  void aValueWithoutALineHasItsSourceOnly() {
    assertThat(Origins.of(ConfigValueFactory.fromAnyRef(1, "--set"))).isEqualTo("--set");
  }
}
