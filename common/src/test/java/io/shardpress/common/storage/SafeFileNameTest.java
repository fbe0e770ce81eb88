package io.shardpress.common.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafeFileNameTest {
  static final List<String> HOSTILE = HostileNames.ALL;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors",
        "model-00001-of-00163.safetensors",
        "a",
        "_SUCCESS.json",
        "tokenizer (1).json",
        "v1.2+cpu@x=y~.model",
        "a..b"
      })
  void acceptsOrdinaryNames(String name) {
    assertThat(SafeFileName.check("index.json", name)).isEqualTo(name);
  }

  @Test
  void acceptsNamesAsLongAsFileSystemsDo() {
    assertThat(SafeFileName.check("index.json", "a".repeat(255))).hasSize(255);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.layers.0.mlp.down_proj", "lm_head", "a-b (1)"})
  void ordinaryTextIsItsOwnFileName(String text) {
    assertThat(SafeFileName.encode(text)).isEqualTo(text);
  }

  @ParameterizedTest
  @FieldSource("HOSTILE")
  void hostileTextBecomesASafeFileName(String text) {
    String name = SafeFileName.encode(text);

    assertThat(SafeFileName.isSafe(name + ".safetensors")).as(name).isTrue();
    assertThat(name).hasSizeLessThanOrEqualTo(200).doesNotContain("/", "\\", ":", "%");
  }

  @Test
  void differentTextsHaveDifferentFileNames() {
    List<String> texts = new ArrayList<>(HOSTILE);
    texts.addAll(
        List.of(
            "a/b",
            "a_b",
            "a:b",
            "_a_b",
            "\uD800",
            "\uD801",
            "\uDC00",
            "?",
            "a".repeat(200),
            "a".repeat(201),
            "a".repeat(202)));
    List<String> names = new ArrayList<>(texts.stream().map(SafeFileName::encode).toList());
    // The name of one text, as a text of its own.
    names.addAll(
        names.stream().filter(name -> !texts.contains(name)).map(SafeFileName::encode).toList());

    assertThat(names).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @FieldSource("HOSTILE")
  void refusesHostileNames(String name) {
    assertThatThrownBy(() -> SafeFileName.check("index.json", name))
        .isInstanceOfSatisfying(
            CheckpointFormatException.class,
            e -> assertThat(e.code()).isEqualTo(Code.UNSAFE_FILE_NAME))
        .hasMessageStartingWith("index.json: the file name '")
        .hasMessageContaining("is refused")
        .message()
        .hasSizeLessThan(400)
        .matches("[\\x20-\\x7E…]*");
  }
}
