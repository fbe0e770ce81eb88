package io.shardpress.common.safetensors;

import static io.shardpress.common.error.CheckpointFormatException.Code.HEADER_TOO_LARGE;
import static io.shardpress.common.error.CheckpointFormatException.Code.HEADER_TOO_SMALL;
import static io.shardpress.common.error.CheckpointFormatException.Code.INVALID_HEADER_LENGTH;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.common.tensor.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a safetensors file says it holds. A file is {@code N} (8 bytes, little-endian), {@code N}
 * bytes of JSON, and the tensors' data without gaps.
 *
 * <p>Accepts exactly what the reference reader accepts, except that duplicate keys, tensors written
 * as JSON arrays, and sizes beyond 2<sup>63</sup> are refused too. Anything else is a {@link
 * CheckpointFormatException} whose code names the broken rule. No memory is set aside before the
 * sizes that ask for it were checked against the file's length.
 *
 * @param metadata the {@code __metadata__} strings; empty if there are none
 * @param tensors entries by tensor name, in the order of their data in the file
 */
public record SafetensorsHeader(Map<String, String> metadata, Map<String, Entry> tensors) {
  static final int PREFIX_BYTES = 8;
  static final int MAX_JSON_BYTES = 100_000_000;

  public SafetensorsHeader {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /**
   * One tensor.
   *
   * @param begin offset of its first byte from the start of the file
   * @param end offset after its last byte
   */
  public record Entry(TensorSpec spec, long begin, long end) {}

  /** Reads and checks the header of an open file; {@code file} is its name in messages. */
  public static SafetensorsHeader read(String file, SeekableInput input) {
    long length = input.length();
    if (length < PREFIX_BYTES) {
      throw new CheckpointFormatException(
          HEADER_TOO_SMALL,
          "%s has %d bytes, but a safetensors file has at least %d. %s"
              .formatted(file, length, PREFIX_BYTES, HeaderErrors.FIX));
    }
    ByteBuffer prefix = ByteBuffer.allocate(PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    input.read(0, prefix);
    byte[] json = new byte[checkedJsonLength(file, prefix.getLong(0), length)];
    input.read(PREFIX_BYTES, ByteBuffer.wrap(json));
    return parse(file, json, length);
  }

  /** Checks the JSON of a header, without the 8 bytes before it, for a file of this length. */
  public static SafetensorsHeader parse(String file, byte[] json, long fileLength) {
    checkedJsonLength(file, json.length, fileLength);
    HeaderJson declared = HeaderJson.parse(file, json);
    long dataLength = fileLength - PREFIX_BYTES - json.length;
    return new SafetensorsHeader(
        declared.metadata(),
        HeaderRules.check(file, declared.tensors(), PREFIX_BYTES + json.length, dataLength));
  }

  /** Rules 2 and 3; {@code jsonLength} is unsigned. */
  private static int checkedJsonLength(String file, long jsonLength, long fileLength) {
    if (Long.compareUnsigned(jsonLength, MAX_JSON_BYTES) > 0) {
      throw new CheckpointFormatException(
          HEADER_TOO_LARGE,
          "%s declares a header of %s bytes; the limit is %d. %s"
              .formatted(
                  file, Long.toUnsignedString(jsonLength), MAX_JSON_BYTES, HeaderErrors.FIX));
    }
    if (jsonLength > fileLength - PREFIX_BYTES) {
      throw new CheckpointFormatException(
          INVALID_HEADER_LENGTH,
          "%s declares a header of %d bytes, but only %d bytes follow. %s"
              .formatted(file, jsonLength, fileLength - PREFIX_BYTES, HeaderErrors.FIX));
    }
    return (int) jsonLength;
  }
}
