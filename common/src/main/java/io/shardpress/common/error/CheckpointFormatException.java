package io.shardpress.common.error;

/**
 * A checkpoint file breaks a rule of its format. {@link #code()} names the rule in the words of the
 * safetensors reference reader, so that the two can be compared.
 */
public final class CheckpointFormatException extends InputException {
  private static final long serialVersionUID = 1L;

  /** The broken rule. */
  public enum Code {
    HEADER_TOO_SMALL,
    HEADER_TOO_LARGE,
    INVALID_HEADER_LENGTH,
    INVALID_HEADER,
    INVALID_HEADER_DESERIALIZATION,
    DUPLICATE_KEY,
    INVALID_OFFSET,
    VALIDATION_OVERFLOW,
    MISALIGNED_SLICE,
    TENSOR_INVALID_INFO,
    METADATA_INCOMPLETE_BUFFER,
    UNSAFE_FILE_NAME,
    UNSAFE_TENSOR_NAME,
    INVALID_INDEX,
    MISSING_TENSOR,
    INVALID_CONFIG,
    REFUSED_FILE_TYPE
  }

  private final Code code;

  public CheckpointFormatException(Code code, String message) {
    super(message);
    this.code = code;
  }

  public Code code() {
    return code;
  }
}
