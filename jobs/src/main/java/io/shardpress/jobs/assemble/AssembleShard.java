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
import io.shardpress.jobs.run.PublishedFile;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.Sha256;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Writes one weight file under its final name, copying byte ranges in pieces of bounded size. */
record AssembleShard(HadoopStore store, Location output, OutputShard shard)
    implements Work<PublishedFile> {
  private static final int PIECE_BYTES = 8 << 20;

  @Override
  public PublishedFile run() {
    Location target = output.child(shard.fileName());
    // A retry of this task may find the torso of an earlier attempt; the run owns the folder.
    store.delete(target);
    SafetensorsLayout layout =
        SafetensorsLayout.of(shard.tensors().stream().map(OutputTensor::spec).toList());
    Map<TensorSpec, OutputTensor> tensors = new HashMap<>();
    shard.tensors().forEach(tensor -> tensors.put(tensor.spec(), tensor));
    Map<Location, SafetensorsFile> files = new HashMap<>();
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    Sha256 hash = new Sha256();
    try (SafetensorsWriter writer = new SafetensorsWriter(hash.tee(store.create(target)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        for (OutputTensor.Piece source : tensors.get(spec).pieces()) {
          SafetensorsFile file =
              files.computeIfAbsent(source.file(), unread -> SafetensorsFile.read(store, unread));
          requireUnchanged(file, source.spec());
          SafetensorsHeader.Entry entry = file.header().tensors().get(spec.name());
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
