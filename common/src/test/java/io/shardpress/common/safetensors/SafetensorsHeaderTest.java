package io.shardpress.common.safetensors;

import static io.shardpress.common.error.CheckpointFormatException.Code.DUPLICATE_KEY;
import static io.shardpress.common.error.CheckpointFormatException.Code.HEADER_TOO_LARGE;
import static io.shardpress.common.error.CheckpointFormatException.Code.HEADER_TOO_SMALL;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER_DESERIALIZATION;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER_LENGTH;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_OFFSET;
import static io.shardpress.common.error.CheckpointFormatException.Code.METADATA_INCOMPLETE_BUFFER;
import static io.shardpress.common.error.CheckpointFormatException.Code.MISALIGNED_SLICE;
import static io.shardpress.common.error.CheckpointFormatException.Code.TENSOR_INVALID_INFO;
import static io.shardpress.common.error.CheckpointFormatException.Code.VALIDATION_OVERFLOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.tensor.DType;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsHeaderTest {
  private static final String A = tensor("a", "F32", "[2,2]", "[0,16]");

  @Test
  void tellsTypesShapesPlacesAndMetadata() {
    String json =
        "{" + tensor("b", "U8", "[3]", "[16,19]") + ",\"__metadata__\":{\"k\":\"v\"}," + A + "}";
    SafetensorsHeader header = SafetensorsBytes.header(SafetensorsBytes.file(json, 19));

    long data = 8L + json.length();
    assertThat(header.metadata()).isEqualTo(Map.of("k", "v"));
    assertThat(header.tensors().values())
        .containsExactly(
            new Entry(TensorSpec.of("a", DType.F32, 2, 2), data, data + 16),
            new Entry(TensorSpec.of("b", DType.U8, 3), data + 16, data + 19));
  }

  static Stream<Arguments> acceptsWhatTheReferenceAccepts() {
    return Stream.of(
        Arguments.of("no tensors", "{}", 0),
        Arguments.of("only metadata", "{\"__metadata__\":{\"format\":\"pt\"}}", 0),
        Arguments.of("null metadata", "{\"__metadata__\":null}", 0),
        Arguments.of("rank 0", "{" + tensor("a", "F32", "[]", "[0,4]") + "}", 4),
        Arguments.of("zero in the shape", "{" + tensor("a", "I32", "[2,0]", "[0,0]") + "}", 0),
        Arguments.of(
            "several empty tensors at one offset",
            "{%s,%s,%s}"
                .formatted(
                    tensor("x", "F16", "[0]", "[16,16]"), A, tensor("y", "F4", "[0]", "[16,16]")),
            16),
        Arguments.of("trailing whitespace", "{" + A + "} \t\r\n ", 16),
        Arguments.of("leading whitespace", " \n\t{" + A + "}", 16),
        Arguments.of(
            "unknown fields in an entry",
            "{\"a\":{\"x\":{\"y\":[1,{}]},\"dtype\":\"U8\",\"z\":1.5,\"shape\":[1],\"data_offsets\":[0,1],\"q\":null}}",
            1),
        Arguments.of("a pair of F4", "{" + tensor("a", "F4", "[1,2]", "[0,1]") + "}", 1),
        Arguments.of("four F6", "{" + tensor("a", "F6_E2M3", "[4]", "[0,3]") + "}", 3),
        Arguments.of("an empty name", "{" + tensor("", "U8", "[1]", "[0,1]") + "}", 1),
        Arguments.of(
            "any Unicode name", "{" + tensor("层\\ud83d\\ude00", "U8", "[1]", "[0,1]") + "}", 1));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void acceptsWhatTheReferenceAccepts(String why, String json, int dataBytes) {
    SafetensorsHeader header = SafetensorsBytes.header(SafetensorsBytes.file(json, dataBytes));

    long sum = header.tensors().values().stream().mapToLong(e -> e.spec().bytes()).sum();
    assertThat(sum).as(why).isEqualTo(dataBytes);
  }

  static Stream<Arguments> refusesWithTheCodeOfTheBrokenRule() {
    return Stream.of(
        broken(INVALID_HEADER_DESERIALIZATION, "", 0, "header"),
        broken(INVALID_HEADER_DESERIALIZATION, "{", 0, "not valid JSON"),
        broken(INVALID_HEADER_DESERIALIZATION, "[]", 0, "START_ARRAY instead of START_OBJECT"),
        broken(INVALID_HEADER_DESERIALIZATION, "null", 0, "header"),
        broken(INVALID_HEADER_DESERIALIZATION, "{} {}", 0, "follows the closing brace"),
        broken(INVALID_HEADER_DESERIALIZATION, "{}\u0000", 0, "not valid JSON"),
        broken(INVALID_HEADER_DESERIALIZATION, "{},", 0, "not valid JSON"),
        broken(INVALID_HEADER_DESERIALIZATION, "\uFEFF{}", 0, "not valid JSON"),
        broken(INVALID_HEADER_DESERIALIZATION, "{'a':1}", 0, "not valid JSON"),
        broken(INVALID_HEADER_DESERIALIZATION, "{\"a\":1}", 0, "tensor 'a'"),
        broken(INVALID_HEADER_DESERIALIZATION, "{\"a\":null}", 0, "tensor 'a'"),
        broken(INVALID_HEADER_DESERIALIZATION, "{\"a\":{}}", 0, "lacks dtype"),
        broken(
            INVALID_HEADER_DESERIALIZATION,
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}",
            0,
            "data_offsets"),
        broken(INVALID_HEADER_DESERIALIZATION, "{\"__metadata__\":{\"k\":1}}", 0, "'k'"),
        broken(INVALID_HEADER_DESERIALIZATION, "{\"__metadata__\":[]}", 0, "__metadata__"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "Q9", "[1]", "[0,1]", "unknown dtype 'Q9'"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "u8", "[1]", "[0,1]", "'u8'"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[1.0]", "[0,1]", "FLOAT"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[1e0]", "[0,1]", "FLOAT"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[\"1\"]", "[0,1]", "STRING"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[true]", "[0,1]", "TRUE"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[[1]]", "[0,1]", "ARRAY"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[-1]", "[0,1]", "negative"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[-0]", "[0,0]", "negative"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "1", "[0,1]", "shape"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "null", "[0,1]", "shape"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[1]", "[0]", "1 data_offsets"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[1]", "[0,1,1]", "3 data_offsets"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[1]", "[-1,0]", "negative"),
        brokenTensor(INVALID_HEADER_DESERIALIZATION, "U8", "[01]", "[0,1]", "not valid JSON"),
        broken(
            INVALID_HEADER_DESERIALIZATION,
            "{" + tensor("\\ud800", "U8", "[1]", "[0,1]") + "}",
            1,
            "not Unicode"),
        broken(DUPLICATE_KEY, "{" + A + "," + A + "}", 16, "'a'"),
        broken(DUPLICATE_KEY, "{" + A + "," + A.replace("\"a\"", "\"\\u0061\"") + "}", 16, "'a'"),
        broken(DUPLICATE_KEY, "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__"),
        broken(DUPLICATE_KEY, "{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "'k'"),
        broken(
            DUPLICATE_KEY,
            "{" + A.replace("\"shape\"", "\"dtype\":\"F32\",\"shape\"") + "}",
            16,
            "'dtype'"),
        broken(INVALID_OFFSET, "{" + tensor("a", "U8", "[1]", "[1,2]") + "}", 2, "begin at 0"),
        broken(
            INVALID_OFFSET, "{" + A + "," + tensor("b", "U8", "[1]", "[17,18]") + "}", 18, "'b'"),
        broken(
            INVALID_OFFSET, "{" + A + "," + tensor("b", "U8", "[1]", "[15,16]") + "}", 16, "'b'"),
        broken(
            INVALID_OFFSET,
            "{" + A + "," + tensor("b", "F32", "[2,2]", "[0,16]") + "}",
            16,
            "begin at 16"),
        broken(
            INVALID_OFFSET,
            "{" + A + "," + tensor("b", "F32", "[2,2]", "[16,0]") + "}",
            16,
            "[16, 0]"),
        brokenTensor(
            VALIDATION_OVERFLOW, "U8", "[2,18446744073709551614]", "[0,1]", "18446744073709551614"),
        brokenTensor(
            VALIDATION_OVERFLOW, "U8", "[99999999999999999999999]", "[0,1]", "beyond 2^63"),
        brokenTensor(VALIDATION_OVERFLOW, "U8", "[4294967296,4294967296]", "[0,0]", "'a'"),
        brokenTensor(VALIDATION_OVERFLOW, "F64", "[2305843009213693952]", "[0,0]", "'a'"),
        brokenTensor(VALIDATION_OVERFLOW, "U8", "[9223372036854775807,2]", "[0,1]", "'a'"),
        brokenTensor(VALIDATION_OVERFLOW, "U8", "[1]", "[0,9223372036854775808]", "beyond"),
        brokenTensor(MISALIGNED_SLICE, "F4", "[1,3]", "[0,2]", "inside a byte"),
        brokenTensor(MISALIGNED_SLICE, "F6_E3M2", "[3]", "[0,3]", "inside a byte"),
        brokenTensor(TENSOR_INVALID_INFO, "F32", "[2,2]", "[0,4]", "needs 16 bytes"),
        brokenTensor(TENSOR_INVALID_INFO, "F32", "[]", "[0,8]", "needs 4 bytes"),
        brokenTensor(TENSOR_INVALID_INFO, "F32", "[0]", "[0,4]", "needs 0 bytes"),
        brokenTensor(
            TENSOR_INVALID_INFO,
            "U8",
            "[1]",
            "[0,9223372036854775807]",
            "span 9223372036854775807"),
        broken(METADATA_INCOMPLETE_BUFFER, "{" + A + "}", 15, "end at byte 16"),
        broken(METADATA_INCOMPLETE_BUFFER, "{" + A + "}", 17, "has 17 bytes"),
        broken(METADATA_INCOMPLETE_BUFFER, "{}", 1, "has 1 bytes"),
        brokenTensor(
            METADATA_INCOMPLETE_BUFFER,
            "U8",
            "[1000000000000000000]",
            "[0,1000000000000000000]",
            "end at byte 1000000000000000000"));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource
  void refusesWithTheCodeOfTheBrokenRule(Code code, String json, int dataBytes, String message) {
    assertRefused(code, SafetensorsBytes.file(json, dataBytes), message);
  }

  @Test
  void refusesFilesTooShortForALength() {
    assertRefused(HEADER_TOO_SMALL, new byte[0], "has 0 bytes");
    assertRefused(HEADER_TOO_SMALL, new byte[7], "has 7 bytes");
  }

  @ParameterizedTest
  @ValueSource(longs = {100_000_001, 1L << 31, (1L << 31) - 1, 1L << 62, Long.MIN_VALUE, -1})
  void refusesDeclaredLengthsBeyondTheLimit(long length) {
    assertRefused(
        HEADER_TOO_LARGE,
        SafetensorsBytes.file(length, new byte[2], 0),
        "declares a header of " + Long.toUnsignedString(length) + " bytes");
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 7, 60, 100_000_000})
  void refusesDeclaredLengthsBeyondTheFile(long length) {
    assertRefused(
        INVALID_HEADER_LENGTH,
        SafetensorsBytes.file(length, new byte[2], 0),
        "only 2 bytes follow");
  }

  @Test
  void refusesWhatIsNotUtf8() {
    for (byte[] json :
        new byte[][] {
          {(byte) 0xFF},
          {'{', '"', (byte) 0xC0, (byte) 0x80, '"', '}'}, // overlong
          {'{', '"', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '"', '}'}, // surrogate
          "{}".getBytes(StandardCharsets.UTF_16)
        }) {
      assertRefused(INVALID_HEADER, SafetensorsBytes.file(json, 0), "not UTF-8");
    }
  }

  private static void assertRefused(Code code, byte[] file, String message) {
    CheckpointFormatException error =
        catchThrowableOfType(CheckpointFormatException.class, () -> SafetensorsBytes.header(file));
    assertThat(error).as("refusal with %s", code).isNotNull();
    assertThat(error.code()).as(error.getMessage()).isEqualTo(code);
    assertThat(error)
        .hasMessageContaining(message)
        .hasMessageContaining("memory:///model.safetensors")
        .hasMessageContaining("download or convert it again");
  }

  private static Arguments broken(Code code, String json, int dataBytes, String message) {
    return Arguments.of(code, json, dataBytes, message);
  }

  private static Arguments brokenTensor(
      Code code, String dtype, String shape, String offsets, String message) {
    return Arguments.of(code, "{" + tensor("a", dtype, shape, offsets) + "}", 1, message);
  }

  private static String tensor(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }
}
