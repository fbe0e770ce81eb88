package io.shardpress.jobs.data;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.storage.Sha256;
import java.util.Arrays;
import org.apache.spark.api.java.function.Function;
import scala.Tuple2;

/** The task that puts the sequences of one chunk together and writes its file. */
final class WriteChunk
    implements Function<Tuple2<Integer, Iterable<CutWindows.Part>>, TokenManifest.Chunk> {
  private static final long serialVersionUID = 1L;

  private final Store store;
  private final Location directory;
  private final int length;
  private final int sequences;
  private final int sequencesPerChunk;
  private final int payload;
  private final int bos;

  /**
   * @param bos put before each sequence when the windows leave room for it
   */
  WriteChunk(Store store, Location directory, DataSettings settings, Windows windows, int bos) {
    this.store = store;
    this.directory = directory;
    this.length = settings.length();
    this.sequences = windows.sequences();
    this.sequencesPerChunk = settings.sequencesPerChunk();
    this.payload = windows.payload();
    this.bos = bos;
  }

  @Override
  public TokenManifest.Chunk call(Tuple2<Integer, Iterable<CutWindows.Part>> group) {
    int chunk = group._1();
    int first = chunk * sequencesPerChunk;
    int count = Math.min(sequencesPerChunk, sequences - first);
    int[] ids = new int[Math.multiplyExact(count, length)];
    Arrays.fill(ids, bos);
    int filled = 0;
    for (CutWindows.Part part : group._2()) {
      int start = (part.sequence() - first) * length + (length - payload) + part.offset();
      System.arraycopy(part.ids(), 0, ids, start, part.ids().length);
      filled += part.ids().length;
    }
    if (filled != count * payload) {
      throw new IllegalStateException(
          "Chunk %d got %d of its %d token ids".formatted(chunk, filled, count * payload));
    }
    byte[] bytes = TokenFile.encode(ids, length);
    StoredFiles.writeOnce(store, directory.child(TokenFile.name(chunk)), bytes);
    return new TokenManifest.Chunk(chunk, bytes.length, Sha256.of(bytes), TokenFile.digest(ids));
  }
}
