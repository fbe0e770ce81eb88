package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SafetensorsLayoutTest {

  @Test
  void writesTheHeaderOfTheFormat() {
    SafetensorsLayout layout =
        SafetensorsLayout.of(
            List.of(TensorSpec.of("b", DType.F32, 2), TensorSpec.of("a\"\\\n\u0001é", DType.F16)));

    byte[] bytes = layout.headerBytes();
    String json = new String(bytes, 8, bytes.length - 8, StandardCharsets.UTF_8);
    assertThat(json)
        .startsWith(
            "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\\\"\\\\\\n"
                + "\\u0001é\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[8,10]}}");
    assertThat(json.stripTrailing()).endsWith("}}");
    assertThat(bytes.length % 8).isZero();
    assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong())
        .isEqualTo(bytes.length - 8);
    assertThat(layout.totalLength()).isEqualTo(bytes.length + 10);
  }

  @Test
  void ordersByRankThenByUtf8Bytes() {
    TensorSpec emoji = TensorSpec.of("\uD83D\uDE00", DType.I8, 1); // UTF-16 sorts it first
    TensorSpec fullWidth = TensorSpec.of("\uFF5E", DType.I8, 1);
    List<TensorSpec> expected =
        List.of(
            TensorSpec.of("z", DType.I64, 1),
            TensorSpec.of("a10", DType.F32, 1),
            TensorSpec.of("a2", DType.F32, 1),
            TensorSpec.of("y", DType.BF16, 1),
            TensorSpec.of("B", DType.I8, 1),
            TensorSpec.of("a", DType.I8, 1),
            fullWidth,
            emoji,
            TensorSpec.of("u", DType.U8, 1));
    List<TensorSpec> shuffled = new java.util.ArrayList<>(expected);
    java.util.Collections.shuffle(shuffled, new java.util.Random(1));

    assertThat(SafetensorsLayout.of(shuffled).specs()).isEqualTo(expected);
    assertThat(SafetensorsLayout.of(shuffled).headerBytes())
        .isEqualTo(SafetensorsLayout.of(expected).headerBytes());
  }

  @Test
  void sortsMetadataAndAlwaysSaysFormat() {
    SafetensorsLayout layout =
        SafetensorsLayout.of(List.of(), Map.of("zeta", "1", "alpha", "2", "beta", "3"));

    assertThat(new String(layout.headerBytes(), StandardCharsets.UTF_8))
        .contains(
            "{\"__metadata__\":{\"alpha\":\"2\",\"beta\":\"3\",\"format\":\"pt\",\"zeta\":\"1\"}}");
  }

  @Test
  void foretellsWhatAReaderFinds() {
    SafetensorsLayout layout =
        SafetensorsLayout.of(
            List.of(TensorSpec.of("a", DType.BF16, 3, 5), TensorSpec.of("e", DType.F64, 0)));
    byte[] file = Arrays.copyOf(layout.headerBytes(), (int) layout.totalLength());

    assertThat(SafetensorsBytes.header(file)).isEqualTo(layout.header());
  }

  @Test
  void refusesWhatTheFormatCannotHold() {
    TensorSpec a = TensorSpec.of("a", DType.F32, 1);
    assertThatThrownBy(() -> SafetensorsLayout.of(List.of(a, TensorSpec.of("a", DType.U8, 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'a'");
    assertThatThrownBy(
            () -> SafetensorsLayout.of(List.of(TensorSpec.of("__metadata__", DType.U8, 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("reserved");
    assertThatThrownBy(() -> SafetensorsLayout.of(List.of(TensorSpec.of("x", DType.F4, 3))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("inside a byte");
    assertThatThrownBy(() -> SafetensorsLayout.of(List.of(TensorSpec.of("\uD800", DType.U8, 3))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not Unicode");
  }
}
