package io.shardpress.common.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.tensor.DType;
import java.nio.charset.StandardCharsets;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {
  private final ModelConfig config =
      parse(
          "{\"model_type\":\"llama\",\"hidden_size\":64,\"eps\":1e-5,\"tied\":true,\"none\":null,"
              + "\"types\":[\"a\",\"b\"],\"layers\":[1,2],\"factors\":[1,2.5],\"text_config\":{\"n\":3},"
              + "\"big\":4294967296,\"huge\":1e999}");

  @Test
  void readsValuesByType() {
    assertThat(config.modelType()).isEqualTo("llama");
    assertThat(config.integer("hidden_size")).isEqualTo(64);
    assertThat(config.integer("hidden_size", 1)).isEqualTo(64);
    assertThat(config.number("eps", 0)).isEqualTo(1e-5);
    assertThat(config.number("hidden_size", 0)).isEqualTo(64);
    assertThat(config.flag("tied", false)).isTrue();
    assertThat(config.texts("types")).containsExactly("a", "b");
    assertThat(config.integers("layers")).containsExactly(1, 2);
    assertThat(config.numbers("factors")).containsExactly(1.0, 2.5);
    assertThat(config.child("text_config").orElseThrow().integer("n")).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({"none", "absent"})
  void nullCountsAsAbsent(String key) {
    assertThat(config.text(key, "x")).isEqualTo("x");
    assertThat(config.integer(key, 7)).isEqualTo(7);
    assertThat(config.optionalInteger(key)).isEmpty();
    assertThat(config.number(key, 0.5)).isEqualTo(0.5);
    assertThat(config.flag(key, true)).isTrue();
    assertThat(config.texts(key)).isEmpty();
    assertThat(config.child(key)).isEmpty();
    assertThat(config.quantization()).isEmpty();
  }

  @Test
  void tellsNullFromAbsentWhenAsked() {
    assertThat(config.has("none")).isTrue();
    assertThat(config.has("absent")).isFalse();
  }

  @Test
  void namesTheKeyTheValueAndTheType() {
    assertRefused(() -> config.integer("absent"), "lacks 'absent'");
    assertRefused(() -> config.text("none"), "lacks 'none'");
    assertRefused(
        () -> config.integer("model_type"), "holds \"llama\", but must be a whole number");
    assertRefused(() -> config.integer("eps", 1), "must be a whole number");
    assertRefused(() -> config.integer("big", 1), "holds 4294967296");
    assertRefused(() -> config.number("huge", 1), "must be a finite number");
    assertRefused(() -> config.text("hidden_size"), "holds 64, but must be a string");
    assertRefused(() -> config.flag("hidden_size", true), "must be true or false");
    assertRefused(() -> config.texts("hidden_size"), "must be a list of strings");
    assertRefused(() -> config.texts("layers"), "holds 1, but must be strings only");
    assertRefused(() -> config.integers("factors"), "holds 2.5");
    assertRefused(() -> config.child("eps"), "must be an object");
    assertRefused(
        () -> config.child("text_config").orElseThrow().text("n"), "config.json text_config: 'n'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"dtype\":\"bfloat16\"}; BF16",
        "{\"torch_dtype\":\"float16\"}; F16",
        "{\"torch_dtype\":\"torch.float32\",\"dtype\":null}; F32",
        "{\"dtype\":\"bfloat16\",\"torch_dtype\":\"float32\"}; BF16",
        "{}; F32"
      })
  void readsTheWeightTypeOfBothGenerations(String json, DType type) {
    assertThat(parse(json).weightType()).isEqualTo(type);
  }

  @Test
  void refusesWeightTypesThatAreNone() {
    assertRefused(() -> parse("{\"dtype\":\"auto\"}").weightType(), "\"auto\"");
  }

  @Test
  void readsRotarySettingsOfBothGenerations() {
    ModelConfig old =
        parse("{\"rope_theta\":500000.0,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}}");
    ModelConfig current =
        parse(
            "{\"rope_theta\":1,\"rope_parameters\":{\"rope_type\":\"linear\",\"rope_theta\":500000.0,\"factor\":2}}");

    assertThat(old.ropeTheta()).hasValue(500000);
    assertThat(current.ropeTheta()).hasValue(500000);
    assertThat(old.rope().number("factor", 1)).isEqualTo(2);
    assertThat(current.rope().number("factor", 1)).isEqualTo(2);
    assertThat(parse("{\"rope_scaling\":null}").rope().json()).isEmpty();
    assertThat(parse("{}").ropeTheta()).isEmpty();
  }

  @Test
  void cannotBeChangedFromOutside() {
    config.json().put("hidden_size", 1);
    assertThat(config.integer("hidden_size")).isEqualTo(64);
  }

  @Test
  void exposesThatWeightsAreCompressed() {
    assertThat(
            parse("{\"quantization_config\":{\"quant_method\":\"gptq\"}}")
                .quantization()
                .orElseThrow()
                .text("quant_method"))
        .isEqualTo("gptq");
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            CheckpointFormatException.class,
            e -> assertThat(e.code()).isEqualTo(Code.INVALID_CONFIG))
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  private static ModelConfig parse(String json) {
    return ModelConfig.parse("config.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
