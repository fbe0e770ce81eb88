package io.shardpress.jobs.model;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.Sha256;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The identity of a model: a hash over its configuration and every byte of its weight files. */
public final class ModelDigest {
  private static final long PIECE = 256 << 20;
  private static final int READ = 4 << 20;

  private ModelDigest() {}

  /** Hashes in parallel, in pieces whose borders follow from the files alone. */
  public static String of(Tasks tasks, ModelRef model) {
    HadoopStore store = model.store();
    Checkpoint checkpoint = model.open().checkpoint();
    List<HashPiece> pieces = new ArrayList<>();
    StringBuilder text = new StringBuilder("config " + Sha256.of(config(checkpoint)));
    for (String name : checkpoint.files()) {
      Location file = checkpoint.location().child(name);
      long length = store.length(file);
      text.append("\nfile ").append(name).append(' ').append(length);
      for (long from = 0; from < length; from += PIECE) {
        pieces.add(new HashPiece(store, file, from, Math.min(PIECE, length - from)));
      }
    }
    tasks
        .run("identify the model: %d pieces".formatted(pieces.size()), pieces)
        .forEach(hash -> text.append('\n').append(hash));
    return Sha256.of(text.toString());
  }

  private static String config(Checkpoint checkpoint) {
    return checkpoint.config().json().toString();
  }

  /** Some bytes of a file. */
  private record HashPiece(HadoopStore store, Location file, long from, long length)
      implements Work<String> {
    @Override
    public String run() {
      Sha256 hash = new Sha256();
      ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(READ, length));
      try (SeekableInput input = store.open(file)) {
        for (long done = 0; done < length; done += bytes.capacity()) {
          bytes.clear().limit((int) Math.min(bytes.capacity(), length - done));
          input.read(from + done, bytes);
          hash.add(bytes.flip());
        }
      }
      return hash.hex();
    }
  }
}
