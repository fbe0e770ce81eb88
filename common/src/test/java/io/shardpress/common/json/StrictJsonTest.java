package io.shardpress.common.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.shardpress.common.error.InputException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {

  @Test
  void readsValuesWithTheirTypes() {
    JsonNode node = parse(" {\"a\": [1, 2.5, \"é\", null, true], \"n\": 18446744073709551615}\n");

    assertThat(node.get("a")).hasSize(5);
    assertThat(node.get("a").get(0).isInt()).isTrue();
    assertThat(node.get("a").get(2).textValue()).isEqualTo("é");
    assertThat(node.get("n").bigIntegerValue()).hasToString("18446744073709551615");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"a\":1,\"a\":2}; Duplicate",
        "{\"a\":1,\"\\u0061\":2}; Duplicate",
        "{\"x\":{\"a\":1,\"a\":2}}; Duplicate",
        "{} {}; Trailing",
        "{}x; Unrecognized",
        "[1,]; Unexpected",
        "[NaN]; NaN",
        "[01]; zero",
        "{'a':1}; quote",
        "[1] // comment; Unexpected",
        "{\"a\":; end-of-input",
        "''; is empty"
      })
  void refusesWhatIsNotOneJsonValue(String json, String why) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(why)
        .hasMessageContaining("Correct it");
    assertThatThrownBy(() -> check(json))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(why)
        .hasMessageContaining("Correct it");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", " [1, {\"a\": [\"b\", null]}] ", "7", "\"x\"", "-1.5e3\n"})
  void looksThroughWhatItCouldRead(String json) {
    check(json);
    assertThat(parse(json)).isNotNull();
  }

  /** A key and a bracket cost a hundred times their length as nodes of a tree. */
  @Test
  void boundsTheNumberOfNodes() {
    String many = "[" + "{},".repeat(StrictJson.MAX_TREE_TOKENS / 2) + "{}]";
    assertThatThrownBy(() -> parse(many))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("config.json is not valid JSON")
        .hasMessageContaining("Token count")
        .hasMessageContaining("exceeds the maximum allowed (2000000");
    check(many);
    String more = "[" + "{},".repeat(5_000_000) + "{}]";
    assertThatThrownBy(() -> check(more))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("exceeds the maximum allowed (10000000");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1e400]",
        "{\"a\":-1e999}",
        "\"\\ud800\"",
        "{\"\\udc00x\":1}",
        "[\"\\ud800\\ud800\"]"
      })
  void refusesWhatOtherParsersReadOtherwise(String json) {
    assertThat(parse(json)).isNotNull();
    assertThatThrownBy(() -> check(json)).isInstanceOf(InputException.class);
  }

  @Test
  void boundsTheLengthOfNumbers() {
    assertThat(parse("9".repeat(1000)).isIntegralNumber()).isTrue();
    assertThatThrownBy(() -> parse("9".repeat(1001)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Number value length");
  }

  @Test
  void repeatsNoMoreOfTheDocumentThanAReaderNeeds() {
    String name = "\u009B" + "n".repeat(1 << 20);
    assertThatThrownBy(() -> parse("{\"" + name + "\":1,\"" + name + "\":2}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("Duplicate field '?nnn")
        .message()
        .hasSizeLessThan(400);
  }

  @Test
  void namesLineAndColumn() {
    assertThatThrownBy(() -> parse("{\n  \"a\": 1,\n  oops\n}"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("line 3, column");
  }

  @Test
  void boundsTheDepth() {
    String deep = "[".repeat(StrictJson.MAX_DEPTH) + "]".repeat(StrictJson.MAX_DEPTH);
    assertThat(parse(deep).isArray()).isTrue();

    assertThatThrownBy(() -> parse("[" + deep + "]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("nesting depth");
  }

  @Test
  void readsNothingButUtf8() {
    assertThatThrownBy(
            () -> StrictJson.parse("config.json", "{}".getBytes(StandardCharsets.UTF_16)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("not UTF-8");
    assertThatThrownBy(() -> parse("\uFEFF{}")).isInstanceOf(InputException.class);
  }

  @Test
  void wantsAnObjectWhereOneIsNeeded() {
    assertThatThrownBy(
            () -> StrictJson.parseObject("index.json", "[]".getBytes(StandardCharsets.UTF_8)))
        .isInstanceOf(InputException.class)
        .hasMessage("index.json must hold one JSON object, {…}. Correct it.");
  }

  private static void check(String json) {
    StrictJson.check("config.json", json.getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode parse(String json) {
    return StrictJson.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
