package io.shardpress.common.checkpoint;

import static io.shardpress.common.checkpoint.CheckpointBuilder.withConfig;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes with a model unchanged was looked at before. */
class CompanionsTest {
  private static final TensorSpec A = TensorSpec.of("a", DType.F32, 1);

  private final CheckpointBuilder model = withConfig().weights("model.safetensors", A);

  @Test
  void areReadAsTheyAre() {
    Checkpoint checkpoint =
        model
            .text("tokenizer.json", "{\"model\":{}}")
            .text("merges.txt", "a b\n")
            .text("README.md", "# Model")
            .text("notes.txt", "mine")
            .open();

    assertThat(checkpoint.companionFiles())
        .extracting(Location::name)
        .containsExactly("README.md", "merges.txt", "tokenizer.json");
    assertThat(checkpoint.companion(file("tokenizer.json")))
        .isEqualTo("{\"model\":{}}".getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "preprocessor_config.json",
        "chat_template.json"
      })
  void mustBeJsonThatEveryParserReadsAlike(String name) {
    for (String json :
        new String[] {
          "",
          "{",
          "{\"a\":1,\"a\":2}",
          "{}{}",
          "{\"a\":NaN}",
          "{\"a\":01}",
          "\uFEFF{}",
          "[".repeat(200) + "]".repeat(200)
        }) {
      assertThatThrownBy(() -> model.text(name, json).open())
          .as(json)
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("s3a://bucket/model/" + name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tokenizer.model, 80027d, a pickle",
    "spiece.model, 80049501, a pickle",
    "weights.model, 504b03040a, a zip archive",
    "vocab.txt, 894844460d0a1a0a, an HDF5 file",
    "tokenizer.dat, 934e554d505901, a NumPy array",
    "README, 4747554603000000, a GGUF file",
    "tokenizer, 7f454c4602, a program"
  })
  void mustNotBeWeightsOrProgramsInDisguise(String name, String start, String what) {
    model.store().put(file(name), HexFormat.of().parseHex(start));

    assertThatThrownBy(model::open)
        .isInstanceOfSatisfying(
            CheckpointFormatException.class,
            e -> assertThat(e.code()).isEqualTo(Code.REFUSED_FILE_TYPE))
        .hasMessageContaining("s3a://bucket/model/" + name + " is " + what)
        .hasMessageContaining("Such files are not read");
  }

  @Test
  void mustNotChangeBehindTheCheck() {
    Checkpoint checkpoint = model.text("tokenizer.json", "{}").open();
    model.text("tokenizer.json", "{ }");

    assertThatThrownBy(() -> checkpoint.companion(file("tokenizer.json")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("tokenizer.json was changed while the checkpoint was in use")
        .hasMessageContaining("start again");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "README_中文.md",
        "tokenizer\u202Enosj.json",
        "tokenizer\u0001.json",
        "tokenizer .json ",
        "tokenizer..",
        "tokenizer%2e.json",
        "tokenizer\\..\\x.json",
        "vocab:stream"
      })
  void stayBehindWhenTheirNamesAreNotPlain(String name) {
    Checkpoint checkpoint;
    try {
      model.store().put(file(name), new byte[1]);
      checkpoint = model.open();
    } catch (InputException e) { // a location cannot hold it in the first place
      assertThat(e).hasMessageContaining("control characters");
      return;
    }

    assertThat(checkpoint.companionFiles()).isEmpty();
    assertThat(checkpoint.refusedFiles()).containsExactly(name);
    assertThat(model.store().touched()).doesNotContain(file(name));
  }

  private Location file(String name) {
    return model.root().child(name);
  }
}
