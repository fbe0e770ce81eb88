package io.shardpress.jobs.assemble;

import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsHeader;
import io.shardpress.common.safetensors.SafetensorsLayout;
import io.shardpress.common.safetensors.SafetensorsWriter;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/** Writes one weight file under its final name, copying byte ranges in pieces of bounded size. */
record AssembleShard(HadoopStore store, Location output, Workspace workspace, OutputShard shard)
    implements Work<PublishedFile> {
  private static final int PIECE_BYTES = 8 << 20;

  /**
   * The file appears whole or not at all: attempts that run at once, or after the job's end, meet
   * no half of it, and what they put in its place would be the same.
   */
  @Override
  public PublishedFile run() {
    Location target = output.child(shard.fileName());
    if (!store.movesAtOnce(target)) {
      return write(target);
    }
    Location aside = workspace.shards().child(shard.fileName() + "." + UUID.randomUUID());
    PublishedFile written = write(aside);
    if (!store.move(aside, target)) {
      store.delete(aside); // another attempt was faster
    }
    return written;
  }

  private PublishedFile write(Location file) {
    SafetensorsLayout layout =
        SafetensorsLayout.of(shard.tensors().stream().map(OutputTensor::spec).toList());
    Map<TensorSpec, OutputTensor> tensors = new HashMap<>();
    shard.tensors().forEach(tensor -> tensors.put(tensor.spec(), tensor));
    Map<Location, SafetensorsFile> files = new HashMap<>();
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    Sha256 hash = new Sha256();
    try (SafetensorsWriter writer = new SafetensorsWriter(hash.tee(store.replace(file)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        for (OutputTensor.Piece source : tensors.get(spec).pieces()) {
          SafetensorsFile open =
              files.computeIfAbsent(source.file(), unread -> SafetensorsFile.read(store, unread));
          requireUnchanged(open, source.spec());
          SafetensorsHeader.Entry entry = open.header().tensors().get(spec.name());
          copy(source.file(), entry, bytes -> writer.write(spec, bytes), piece);
        }
      }
      writer.finish();
    }
    return new PublishedFile(shard.fileName(), layout.totalLength(), hash.hex());
  }

  private static void requireUnchanged(SafetensorsFile file, TensorSpec planned) {
    TensorSpec found = file.spec(planned.name());
    if (!found.equals(planned)) {
      throw new InputException(
          "%s: %s is %s %s, but was %s %s when the run began. Leave the model as it is while it is compressed, and run again."
              .formatted(
                  file.location(),
                  found.name(),
                  found.dtype(),
                  found.shape(),
                  planned.dtype(),
                  planned.shape()));
    }
  }

  private void copy(
      Location source,
      SafetensorsHeader.Entry entry,
      Consumer<ByteBuffer> writer,
      ByteBuffer piece) {
    try (SeekableInput input = store.open(source)) {
      for (long at = entry.begin(); at < entry.end(); at += PIECE_BYTES) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, entry.end() - at));
        input.read(at, piece);
        writer.accept(piece.flip());
      }
    }
  }
}
