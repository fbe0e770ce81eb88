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

/** Writes one weight file under its final name, copying byte ranges in pieces of bounded size. */
record AssembleShard(HadoopStore store, Location output, OutputShard shard)
    implements Work<PublishedFile> {
  private static final int PIECE_BYTES = 8 << 20;

  @Override
  public PublishedFile run() {
    Location target = output.child(shard.fileName());
    SafetensorsLayout layout =
        SafetensorsLayout.of(shard.tensors().stream().map(OutputTensor::spec).toList());
    Map<String, Location> sources = new HashMap<>();
    shard.tensors().forEach(tensor -> sources.put(tensor.spec().name(), tensor.file()));
    Map<Location, SafetensorsFile> files = new HashMap<>();
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    Sha256 hash = new Sha256();
    // The run owns the folder; what is there is the torso of an earlier attempt.
    try (SafetensorsWriter writer =
        new SafetensorsWriter(hash.tee(store.replace(target)), layout)) {
      for (TensorSpec spec : layout.specs()) {
        Location source = sources.get(spec.name());
        SafetensorsFile file =
            files.computeIfAbsent(source, unread -> SafetensorsFile.read(store, unread));
        requireUnchanged(file, spec);
        copy(source, file.header().tensors().get(spec.name()), writer, piece);
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
      Location source, SafetensorsHeader.Entry entry, SafetensorsWriter writer, ByteBuffer piece) {
    try (SeekableInput input = store.open(source)) {
      for (long at = entry.begin(); at < entry.end(); at += PIECE_BYTES) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, entry.end() - at));
        input.read(at, piece);
        writer.write(entry.spec(), piece.flip());
      }
    }
  }
}
