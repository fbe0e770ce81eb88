package io.shardpress.common.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardIndexTest {

  @Test
  void readsFilesAndTotals() {
    ShardIndex index =
        parse(
            "{\"metadata\":{\"total_size\":30,\"total_parameters\":7,\"new\":{}},"
                + "\"weight_map\":{\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}}");

    assertThat(index.weightMap()).containsEntry("a", "m-1.safetensors").hasSize(3);
    assertThat(index.files()).containsExactly("m-1.safetensors", "m-2.safetensors");
    assertThat(index.totalSize()).hasValue(30);
  }

  @Test
  void toleratesMissingAndDecimalTotals() {
    String map = "\"weight_map\":{\"a\":\"m.safetensors\"}}";
    assertThat(parse("{" + map).totalSize()).isEmpty();
    assertThat(parse("{\"metadata\":null," + map).totalSize()).isEmpty();
    assertThat(parse("{\"metadata\":{\"total_size\":13476835328.0}," + map).totalSize())
        .hasValue(13476835328L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{}; INVALID_INDEX; weight_map",
        "[]; INVALID_INDEX; object",
        "{; INVALID_INDEX; not valid JSON",
        "{\"weight_map\":[]}; INVALID_INDEX; weight_map",
        "{\"weight_map\":{}}; INVALID_INDEX; weight_map",
        "{\"weight_map\":{\"a\":1}}; INVALID_INDEX; holds 1",
        "{\"weight_map\":{\"a\":null}}; INVALID_INDEX; holds null",
        "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}; INVALID_INDEX;"
            + " Duplicate",
        "{\"weight_map\":{\"a\":\"x.txt\"}}; INVALID_INDEX; x.txt, which is no safetensors file",
        "{\"weight_map\":{\"a\":\"pytorch_model.bin\"}}; REFUSED_FILE_TYPE; pytorch_model.bin",
        "{\"weight_map\":{\"a\":\"../x.safetensors\"}}; UNSAFE_FILE_NAME; ../x.safetensors",
        "{\"metadata\":{\"total_size\":\"7\"},\"weight_map\":{\"a\":\"x.safetensors\"}};"
            + " INVALID_INDEX; total_size"
      })
  void refusesWhatIsNoIndex(String json, Code code, String message) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOfSatisfying(
            CheckpointFormatException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining("index.json")
        .hasMessageContaining(message);
  }

  private static ShardIndex parse(String json) {
    return ShardIndex.parse("index.json", json.getBytes(StandardCharsets.UTF_8));
  }
}
