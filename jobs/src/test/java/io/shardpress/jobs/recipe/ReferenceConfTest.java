package io.shardpress.jobs.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import io.shardpress.common.config.RecordBinder;
import io.shardpress.operators.compression.Algorithm;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code conf/reference.conf} and the settings records say the same, key by key. */
class ReferenceConfTest {
  private final String text = text();
  private final ConfigObject document = ConfigFactory.parseString(text).root();

  @Test
  void hasTheSectionsOfARecipe() {
    Set<String> expected = new TreeSet<>(RecordBinder.keys(Recipe.class));
    expected.removeAll(Set.of("model", "resolved"));
    expected.addAll(Set.of("defaults", "presets"));

    assertThat(document.keySet()).containsExactlyInAnyOrderElementsOf(expected);
    assertThat(text).as("model is required, so it is shown only").contains("\n# model = ");
  }

  @Test
  void hasTheKeysOfEverySection() {
    assertSame(section("calibration"), CalibrationSettings.class, "calibration");
    assertSame(section("output"), OutputSettings.class, "output");
    assertSame(section("evaluation"), EvaluationSettings.class, "evaluation");
    assertSame(section("run"), RunSettings.class, "run");
  }

  @ParameterizedTest
  @EnumSource
  void hasTheKeysOfEveryAlgorithm(Algorithm algorithm) {
    ConfigObject defaults = (ConfigObject) section("defaults").get(algorithm.key());
    assertThat(defaults).as("defaults." + algorithm.key()).isNotNull();
    assertSame(
        defaults, algorithm.settings().asSubclass(Record.class), "defaults." + algorithm.key());
  }

  @Test
  void hasDefaultsOfNothingElse() {
    assertThat(section("defaults").keySet())
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(Algorithm.values()).map(Algorithm::key).toList());
  }

  @Test
  void hasPresetsThatEveryQuantizerBinds() {
    for (String preset : section("presets").keySet()) {
      for (Algorithm algorithm : List.of(Algorithm.RTN, Algorithm.GPTQ)) {
        Recipe recipe =
            RecipeReader.ofAssignments(
                List.of("steps=[{%s{scheme=%s}}]".formatted(algorithm.key(), preset)));
        assertThat(recipe.steps()).as(preset).hasSize(1);
      }
    }
  }

  @Test
  void documentsTheKeysOfAStep() {
    for (String key : List.of("scheme", "targets", "ignore", "overrides")) {
      assertThat(text).containsPattern("\n#   %s +=".formatted(key));
    }
  }

  @Test
  void explainsEveryKey() {
    List<String> bare =
        text.lines()
            .filter(line -> line.matches("  +#? ?[a-z-]+ = .*") && !line.contains("  #"))
            .map(String::strip)
            .filter(line -> !isExplainedElsewhere(line))
            .toList();
    assertThat(bare).isEmpty();
  }

  /** Keys that have the same meaning in another section, and are explained there. */
  private boolean isExplainedElsewhere(String line) {
    String key = line.replaceFirst("# ", "").replaceFirst(" =.*", "");
    return Pattern.compile("\n +(# )?" + key + " = [^\n]* #").matcher(text).find();
  }

  private void assertSame(ConfigObject found, Class<? extends Record> type, String path) {
    List<String> required =
        Arrays.stream(type.getRecordComponents())
            .filter(component -> component.getType() != Optional.class)
            .map(ReferenceConfTest::key)
            .toList();
    assertThat(found.keySet()).as(path).containsExactlyInAnyOrderElementsOf(required);
    for (RecordComponent component : type.getRecordComponents()) {
      ConfigValue value = found.get(key(component));
      if (component.getType() == Optional.class) {
        assertThat(block(path)).as(path).contains("# " + key(component) + " = ");
      } else if (value instanceof ConfigObject nested && component.getType().isRecord()) {
        assertSame(
            nested, component.getType().asSubclass(Record.class), path + "." + key(component));
      }
    }
  }

  /** The text of a section, such as {@code run} or {@code defaults.wanda}. */
  private String block(String path) {
    String within = text;
    String indent = "";
    for (String section : path.split("\\.", -1)) {
      String begin = indent + section + " {";
      String end = indent + "}";
      within =
          within
              .lines()
              .dropWhile(line -> !line.startsWith(begin))
              .takeWhile(line -> !line.equals(end))
              .collect(Collectors.joining("\n"));
      indent += "  ";
    }
    return within;
  }

  private ConfigObject section(String name) {
    return (ConfigObject) document.get(name);
  }

  private static String key(RecordComponent component) {
    return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
  }

  private static String text() {
    try (InputStream in =
        ReferenceConfTest.class.getResourceAsStream("/shardpress/reference.conf")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
