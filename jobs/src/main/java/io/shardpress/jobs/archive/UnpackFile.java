package io.shardpress.jobs.archive;

import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.spark.TaskMemory;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.PublishedFile;

/** Restores one file of an archive. */
record UnpackFile(HadoopStore store, Location archive, ArchivedFile file, Destination folder)
    implements Work<PublishedFile> {
  @Override
  public TaskMemory memory() {
    return PackFile.MEMORY;
  }

  @Override
  public PublishedFile run() {
    return folder.write(file.original().name(), out -> Unpacking.run(store, archive, file, out));
  }
}
