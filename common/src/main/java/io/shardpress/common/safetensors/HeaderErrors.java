package io.shardpress.common.safetensors;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.Printable;

/**
 * Messages about headers; names in them come from the file and are shortened and made printable.
 */
final class HeaderErrors {
  static final String FIX =
      "The file is damaged or no safetensors file: download or convert it again.";

  private HeaderErrors() {}

  static CheckpointFormatException of(Code code, String file, String problem) {
    return new CheckpointFormatException(code, file + ": " + problem + ". " + FIX);
  }

  static CheckpointFormatException of(Code code, String file, String tensor, String problem) {
    return of(code, file, "tensor " + quoted(tensor) + " " + problem);
  }

  static String quoted(String name) {
    return Printable.quoted(name);
  }
}
