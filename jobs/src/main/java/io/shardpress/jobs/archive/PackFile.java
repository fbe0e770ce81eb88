package io.shardpress.jobs.archive;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SeekableInput;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;

/**
 * Codes one file of a checkpoint into the archive.
 *
 * @param bytes that it had when the command began
 */
record PackFile(
    HadoopStore store,
    Location checkpoint,
    String name,
    long bytes,
    Content content,
    Destination archive)
    implements Work<PackFile.Packed> {

  /** A few parts of a tensor, the planes of one, and what is read ahead. */
  static final TaskMemory MEMORY = TaskMemory.of(0, 64 << 20);

  /** What is known of a file. */
  enum Content {
    TENSORS,
    PLAIN
  }

  /** One file of the archive. */
  record Packed(ArchivedFile file, Figures figures) implements Serializable {}

  @Override
  public TaskMemory memory() {
    return MEMORY;
  }

  @Override
  public Packed run() {
    Location file = checkpoint.child(name);
    String codedName = ArchivedFile.codedName(name);
    try (SeekableInput input = new Window(store.open(file))) {
      if (input.length() != bytes) {
        throw new InputException(
            "%s has %d bytes, but had %d when the command began. Let nobody write to the checkpoint, and start again."
                .formatted(file, input.length(), bytes));
      }
      return archive.write(codedName, out -> pack(file, codedName, input, out));
    }
  }

  private Packed pack(Location file, String codedName, SeekableInput input, OutputStream out)
      throws IOException {
    Sha256 hash = new Sha256();
    FilePacker packer = new FilePacker(file.toString(), input, hash.tee(out));
    FilePacker.Packed packed =
        content == Content.PLAIN
            ? packer.plain()
            : packer.tensors(
                SafetensorsFile.read(store, file),
                TensorForm.schemes(Checkpoint.reopen(store, checkpoint)));
    return new Packed(
        new ArchivedFile(
            new PublishedFile(name, bytes, packed.sha256()),
            new PublishedFile(codedName, packed.codedBytes(), hash.hex())),
        packed.figures());
  }
}
