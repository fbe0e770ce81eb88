package io.shardpress.jobs.verify;

import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.nio.ByteBuffer;

/** Compares one published file's length and hash with what was recorded. */
public record CheckFile(HadoopStore store, Location folder, PublishedFile recorded)
    implements Work<PublishedFile> {
  private static final int PIECE_BYTES = 8 << 20;

  @Override
  public PublishedFile run() {
    SafeFileName.check(folder.toString(), recorded.name());
    Location file = folder.child(recorded.name());
    try (SeekableInput input = store.open(file)) {
      if (input.length() != recorded.bytes()) {
        throw differs(file, "%d bytes, not %d".formatted(input.length(), recorded.bytes()));
      }
      Sha256 hash = new Sha256();
      ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
      for (long at = 0; at < input.length(); at += PIECE_BYTES) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, input.length() - at));
        input.read(at, piece);
        hash.add(piece.flip());
      }
      String found = hash.hex();
      if (!found.equals(recorded.sha256())) {
        throw differs(file, "SHA-256 %s, not %s".formatted(found, recorded.sha256()));
      }
    }
    return recorded;
  }

  private static InputException differs(Location file, String how) {
    return new InputException(
        "%s has %s as recorded: it was changed or damaged after it was published. Copy it again from where it is whole, or run compress again."
            .formatted(file, how));
  }
}
