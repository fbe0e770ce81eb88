package io.shardpress.jobs.archive;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Decodes one file of an archive as a restore would, and keeps nothing of it. */
record CheckCoded(HadoopStore store, Location archive, ArchivedFile file)
    implements Work<PublishedFile> {
  @Override
  public TaskMemory memory() {
    return PackFile.MEMORY;
  }

  @Override
  public PublishedFile run() {
    try {
      return Unpacking.run(store, archive, file, OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
