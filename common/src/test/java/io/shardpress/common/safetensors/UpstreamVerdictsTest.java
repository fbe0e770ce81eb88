package io.shardpress.common.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The verdict of the reference reader on each case of its own tests and of the published attacks,
 * and ours: the same, but for names and fields given twice, where ours is stricter.
 */
class UpstreamVerdictsTest {
  private static final String OK = "OK";

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        // what is told | header | bytes of data | reference | ours
        "a plain file | {`test`:{`dtype`:`I32`,`shape`:[2,2],`data_offsets`:[0,16]}} | 16 | OK |"
            + " OK",
        "no tensors | {} | 0 | OK | OK",
        "only metadata | {`__metadata__`:{`format`:`pt`}} | 0 | OK | OK",
        "metadata is null | {`__metadata__`:null} | 0 | OK | OK",
        "rank 0 | {`test`:{`dtype`:`I32`,`shape`:[],`data_offsets`:[0,4]}} | 4 | OK | OK",
        "zero-sized | {`test`:{`dtype`:`I32`,`shape`:[2,0],`data_offsets`:[0,0]}} | 0 | OK | OK",
        "zero-sized between others |"
            + " {`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1]},`b`:{`dtype`:`F32`,`shape`:[0],`data_offsets`:[1,1]},`c`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[1,2]}}"
            + " | 2 | OK | OK",
        "trailing whitespace | {}%r %t%n | 0 | OK | OK",
        "leading whitespace | %t%n{}%r  | 0 | OK | OK",
        "a field nobody knows | {`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1],`x`:[{}]}} | 1"
            + " | OK | OK",
        "aligned FP4 | {`a`:{`dtype`:`F4`,`shape`:[1,2],`data_offsets`:[0,1]}} | 1 | OK | OK",
        "misaligned FP4 | {`a`:{`dtype`:`F4`,`shape`:[1,3],`data_offsets`:[0,2]}} | 2 |"
            + " MISALIGNED_SLICE | MISALIGNED_SLICE",
        "misaligned F6 | {`a`:{`dtype`:`F6_E2M3`,`shape`:[3],`data_offsets`:[0,2]}} | 2 |"
            + " MISALIGNED_SLICE | MISALIGNED_SLICE",
        "a hole at the start | {`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[1,2]}} | 2 |"
            + " INVALID_OFFSET | INVALID_OFFSET",
        "a hole |"
            + " {`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1]},`b`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[2,3]}}"
            + " | 3 | INVALID_OFFSET | INVALID_OFFSET",
        "an overlap |"
            + " {`a`:{`dtype`:`U8`,`shape`:[2],`data_offsets`:[0,2]},`b`:{`dtype`:`U8`,`shape`:[2],`data_offsets`:[1,3]}}"
            + " | 3 | INVALID_OFFSET | INVALID_OFFSET",
        "ten tensors on the same bytes |"
            + " {`weight_0`:{`dtype`:`F32`,`shape`:[2,2],`data_offsets`:[0,16]},`weight_1`:{`dtype`:`F32`,`shape`:[2,2],`data_offsets`:[0,16]}}"
            + " | 16 | INVALID_OFFSET | INVALID_OFFSET",
        "offsets backwards |"
            + " {`a`:{`dtype`:`U8`,`shape`:[0],`data_offsets`:[0,0]},`b`:{`dtype`:`U8`,`shape`:[0],`data_offsets`:[2,0]}}"
            + " | 2 | INVALID_OFFSET | INVALID_OFFSET",
        "shape over 2^64 |"
            + " {`test`:{`dtype`:`I32`,`shape`:[2,18446744073709551614],`data_offsets`:[0,16]}} |"
            + " 16 | VALIDATION_OVERFLOW | VALIDATION_OVERFLOW",
        "shape times size over 2^64 |"
            + " {`test`:{`dtype`:`I32`,`shape`:[2,9223372036854775807],`data_offsets`:[0,16]}} | 16"
            + " | VALIDATION_OVERFLOW | VALIDATION_OVERFLOW",
        "a product that wraps to 0 |"
            + " {`a`:{`dtype`:`U8`,`shape`:[4294967296,4294967296],`data_offsets`:[0,0]}} | 0 |"
            + " VALIDATION_OVERFLOW | VALIDATION_OVERFLOW",
        "fewer bytes than the shape | {`test`:{`dtype`:`I32`,`shape`:[2,2],`data_offsets`:[0,4]}} |"
            + " 4 | TENSOR_INVALID_INFO | TENSOR_INVALID_INFO",
        "more bytes than the shape | {`test`:{`dtype`:`I32`,`shape`:[2,2],`data_offsets`:[0,20]}} |"
            + " 20 | TENSOR_INVALID_INFO | TENSOR_INVALID_INFO",
        "trailing bytes | {`test`:{`dtype`:`I32`,`shape`:[2,2],`data_offsets`:[0,16]}} | 50 |"
            + " METADATA_INCOMPLETE_BUFFER | METADATA_INCOMPLETE_BUFFER",
        "missing bytes | {`test`:{`dtype`:`I32`,`shape`:[2,2],`data_offsets`:[0,16]}} | 14 |"
            + " METADATA_INCOMPLETE_BUFFER | METADATA_INCOMPLETE_BUFFER",
        "data without tensors | {} | 1 | METADATA_INCOMPLETE_BUFFER | METADATA_INCOMPLETE_BUFFER",
        "not JSON | { | 0 | INVALID_HEADER_DESERIALIZATION | INVALID_HEADER_DESERIALIZATION",
        "an unknown type | {`a`:{`dtype`:`I4`,`shape`:[2],`data_offsets`:[0,1]}} | 1 |"
            + " INVALID_HEADER_DESERIALIZATION | INVALID_HEADER_DESERIALIZATION",
        "a negative size | {`a`:{`dtype`:`U8`,`shape`:[-1],`data_offsets`:[0,1]}} | 1 |"
            + " INVALID_HEADER_DESERIALIZATION | INVALID_HEADER_DESERIALIZATION",
        "a fraction | {`a`:{`dtype`:`U8`,`shape`:[1.0],`data_offsets`:[0,1]}} | 1 |"
            + " INVALID_HEADER_DESERIALIZATION | INVALID_HEADER_DESERIALIZATION",
        "metadata that is no text | {`__metadata__`:{`a`:1}} | 0 | INVALID_HEADER_DESERIALIZATION |"
            + " INVALID_HEADER_DESERIALIZATION",
        "the last of two equal names fits |"
            + " {`a`:{`dtype`:`U8`,`shape`:[9],`data_offsets`:[0,9]},`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1]}}"
            + " | 1 | OK | DUPLICATE_KEY",
        "the first of two equal names fits |"
            + " {`a`:{`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1]},`a`:{`dtype`:`U8`,`shape`:[9],`data_offsets`:[0,9]}}"
            + " | 1 | METADATA_INCOMPLETE_BUFFER | DUPLICATE_KEY",
        "a field twice | {`a`:{`dtype`:`U8`,`dtype`:`U8`,`shape`:[1],`data_offsets`:[0,1]}} | 1 |"
            + " INVALID_HEADER_DESERIALIZATION | DUPLICATE_KEY"
      })
  void isThatOfTheReference(String what, String header, int data, String reference, String ours) {
    String json =
        header.replace('`', '"').replace("%n", "\n").replace("%t", "\t").replace("%r", "\r");
    byte[] file = SafetensorsBytes.file(json, data);

    assertThat(verdict(file)).as(what).isEqualTo(ours);
    boolean refusedOnlyByUs = ours.equals(Code.DUPLICATE_KEY.name());
    assertThat(refusedOnlyByUs || ours.equals(OK) == reference.equals(OK)).as(what).isTrue();
    assertThat(PlainHeaderRules.broken(file).isEmpty()).as(what).isEqualTo(ours.equals(OK));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "an empty file,                       '', HEADER_TOO_SMALL",
    "seven bytes,                         '3c000000000000', HEADER_TOO_SMALL",
    "a length and nothing,                '3c00000000000000', INVALID_HEADER_LENGTH",
    "a length with high bits set,         '3c00000000ffffff7b7d', HEADER_TOO_LARGE",
    "a length of 2^64 - 1,                'ffffffffffffffff7b7d', HEADER_TOO_LARGE",
    "a length of 2^63,                    '00000000000000807b7d', HEADER_TOO_LARGE",
    "a length that adds up beyond 2^64,   'f9ffffffffffffff7b7d', HEADER_TOO_LARGE",
    "a length of 100000001,               '01e1f505000000007b7d', HEADER_TOO_LARGE",
    "the file's length plus one,          '03000000000000007b7d', INVALID_HEADER_LENGTH",
    "a byte that is no UTF-8,             '0100000000000000ff', INVALID_HEADER",
    "an opening brace,                    '01000000000000007b', INVALID_HEADER_DESERIALIZATION",
    "a header of no bytes,                '0000000000000000', INVALID_HEADER_DESERIALIZATION",
    "the smallest file,                   '02000000000000007b7d', OK"
  })
  void ofWholeFilesIsThatOfTheReference(String what, String hex, String verdict) {
    byte[] file = java.util.HexFormat.of().parseHex(hex);

    assertThat(verdict(file)).as(what).isEqualTo(verdict);
    assertThat(PlainHeaderRules.broken(file).isEmpty()).as(what).isEqualTo(verdict.equals(OK));
  }

  private static String verdict(byte[] file) {
    return refusal(file).map(Enum::name).orElse(OK);
  }

  private static Optional<Code> refusal(byte[] file) {
    try {
      SafetensorsBytes.header(file);
      return Optional.empty();
    } catch (CheckpointFormatException e) {
      return Optional.of(e.code());
    }
  }
}
