package io.shardpress.jobs.archive;

import io.shardpress.common.error.InputException;

/**
 * A file of an archive: the 8 bytes {@value #MAGIC}; segments, one behind the other, each a head
 * and its parts; the directory, one Zstandard frame of JSON; and a trailer, little-endian: where
 * the directory begins (64 bits), its length there and as JSON (32 bits each), and the 8 bytes
 * again.
 */
final class CodedFile {
  static final String MAGIC = "SPCODED1";
  static final int MAGIC_BYTES = 8;
  static final int TRAILER_BYTES = 2 * Long.BYTES + MAGIC_BYTES;
  static final int MOST_DIRECTORY_BYTES = 64 << 20;

  private CodedFile() {}

  static InputException damaged(String source, String how) {
    return new InputException(
        "%s is damaged, or is no file of an archive: %s. Copy the archive again from where it is whole."
            .formatted(source, how));
  }

  static InputException damaged(String source, Exception cause) {
    return damaged(source, cause.getMessage());
  }
}
