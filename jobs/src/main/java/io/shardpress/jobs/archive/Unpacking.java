package io.shardpress.jobs.archive;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** Gives back one file of a checkpoint, a part at a time. */
final class Unpacking {
  private Unpacking() {}

  /**
   * Writes the file's bytes; the caller closes the stream, and gives up what was written on any
   * error.
   *
   * @throws io.shardpress.common.error.InputException unless they are, to the last, those that were
   *     archived
   */
  static PublishedFile run(Store store, Location archive, ArchivedFile file, OutputStream out)
      throws IOException {
    Location coded = archive.child(file.coded().name());
    PublishedFile original = file.original();
    try (SeekableInput input = new Window(store.open(coded))) {
      String source = coded.toString();
      if (input.length() != file.coded().bytes()) {
        throw CodedFile.damaged(
            source,
            "it has %d bytes, not the %d that the archive's manifest says"
                .formatted(input.length(), file.coded().bytes()));
      }
      CodedFileReader reader = CodedFileReader.open(source, input);
      requireBytes(source, original, reader);
      Sha256 hash = new Sha256();
      for (int i = 0; i < reader.segments().size(); i++) {
        CodedFileReader.Parts parts = reader.parts(i);
        for (int part = 0; part < reader.segments().get(i).parts().size(); part++) {
          ByteBuffer bytes = parts.decode(part);
          out.write(bytes.array(), bytes.arrayOffset(), bytes.remaining());
          hash.add(bytes);
        }
      }
      String found = hash.hex();
      if (!found.equals(original.sha256())) {
        throw CodedFile.damaged(
            source,
            "it gives back a %s with SHA-256 %s, not %s"
                .formatted(original.name(), found, original.sha256()));
      }
    }
    return original;
  }

  private static void requireBytes(String source, PublishedFile original, CodedFileReader reader) {
    long bytes = reader.segments().stream().mapToLong(Segment::bytes).sum();
    if (bytes != original.bytes()) {
      throw CodedFile.damaged(
          source,
          "it holds %d bytes of %s, which has %d"
              .formatted(bytes, original.name(), original.bytes()));
    }
  }
}
