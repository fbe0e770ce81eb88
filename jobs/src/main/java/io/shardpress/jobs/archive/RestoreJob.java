package io.shardpress.jobs.archive;

import io.shardpress.common.error.PublishUnknownException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.resume.Lease;
import io.shardpress.jobs.resume.Lease.Patience;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.linalg.KernelChoice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;

/**
 * Gives the checkpoint of an archive back. A task restores one file; {@code _SUCCESS.json}, or
 * {@code config.json} where there is none, is written last.
 */
public final class RestoreJob {
  private final HadoopStore store;
  private final Tasks tasks;
  private final Progress progress;

  public RestoreJob(Session session, Progress progress) {
    this(session.store(), session.tasks(KernelChoice.AUTO), progress);
  }

  RestoreJob(HadoopStore store, Tasks tasks, Progress progress) {
    this.store = store;
    this.tasks = tasks;
    this.progress = progress;
  }

  /**
   * @param archive the folder of an archive
   * @param folder an empty or absent folder
   * @return the files restored, by name
   * @throws io.shardpress.common.error.InputException when the archive is incomplete or damaged;
   *     nothing is left in the folder then
   * @throws io.shardpress.common.error.DestinationException when the checkpoint cannot be there
   */
  public List<PublishedFile> run(Location archive, Location folder) {
    Destination destination = Destination.of(store, folder);
    ArchiveManifest manifest = ArchiveManifest.read(store, archive);
    destination.requireUsable(archive);
    try (Lease lease = Lease.take(store, destination.staging(), Patience.DEFAULT)) {
      destination.requireUsable(archive);
      try {
        write(archive, manifest, destination, lease);
        destination.tidy();
      } catch (PublishUnknownException e) {
        throw e;
      } catch (RuntimeException e) {
        destination.withdraw(
            manifest.files().stream().map(file -> file.original().name()).toList(), e);
        throw e;
      }
    }
    return manifest.files().stream().map(ArchivedFile::original).toList();
  }

  private void write(
      Location archive, ArchiveManifest manifest, Destination destination, Lease lease) {
    ArchivedFile last = manifest.last();
    byte[] mark = mark(archive, last); // before anything is written
    List<UnpackFile> work =
        manifest.files().stream()
            .filter(file -> !file.equals(last))
            .sorted(Comparator.comparingLong((ArchivedFile f) -> f.original().bytes()).reversed())
            .map(file -> new UnpackFile(store, archive, file, destination))
            .toList();
    progress.begin("restore", work.stream().mapToDouble(f -> f.file().original().bytes()).sum());
    tasks.run(
        "restore " + archive.name(),
        work,
        file -> progress.advance((double) file.bytes(), file.name()));
    lease.requireHeld();
    destination.commit(last.original().name(), mark);
  }

  private byte[] mark(Location archive, ArchivedFile file) {
    if (file.original().bytes() > StrictJson.MAX_BYTES) {
      throw CodedFile.damaged(
          archive.child(file.coded().name()).toString(),
          "it would give back a %s of %d bytes"
              .formatted(file.original().name(), file.original().bytes()));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      Unpacking.run(store, archive, file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
