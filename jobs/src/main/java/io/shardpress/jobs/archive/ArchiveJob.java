package io.shardpress.jobs.archive;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.PublishUnknownException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.archive.PackFile.Content;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.resume.Lease;
import io.shardpress.jobs.resume.Lease.Patience;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.SealedJson;
import io.shardpress.jobs.verify.RecordedFiles;
import io.shardpress.operators.linalg.KernelChoice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes a checkpoint, dense or compressed, into a smaller folder that {@link RestoreJob} gives it
 * back from, every file byte for byte. A task codes one file; then tasks decode what was written
 * and compare hashes, and {@code archive.json} is written last.
 */
public final class ArchiveJob {
  private static final long LARGEST_RECORD = 256 << 20;

  private final HadoopStore store;
  private final Tasks tasks;
  private final Progress progress;

  public ArchiveJob(Session session, Progress progress) {
    this(session.store(), session.tasks(KernelChoice.AUTO), progress);
  }

  ArchiveJob(HadoopStore store, Tasks tasks, Progress progress) {
    this.store = store;
    this.tasks = tasks;
    this.progress = progress;
  }

  /**
   * @param model the folder of a checkpoint, complete if Shardpress wrote it
   * @param archive an empty or absent folder
   * @return what the archive takes
   * @throws InputException when the folder holds no checkpoint, or more than files
   * @throws io.shardpress.common.error.DestinationException when the archive cannot be there
   */
  public Figures run(Location model, Location archive) {
    Destination destination = Destination.of(store, archive);
    Checkpoint checkpoint = Checkpoint.open(store, model);
    List<Store.Entry> files = files(model);
    destination.requireUsable(model);
    try (Lease lease = Lease.take(store, destination.staging(), Patience.DEFAULT)) {
      destination.requireUsable(model);
      try {
        Figures figures = write(checkpoint, files, destination, lease);
        destination.tidy();
        return figures;
      } catch (PublishUnknownException e) {
        throw e;
      } catch (RuntimeException e) {
        List<String> names = new ArrayList<>(List.of(ArchiveManifest.FILE_NAME));
        files.forEach(file -> names.add(ArchivedFile.codedName(file.name())));
        destination.withdraw(names, e);
        throw e;
      }
    }
  }

  private Figures write(
      Checkpoint checkpoint, List<Store.Entry> files, Destination destination, Lease lease) {
    Location model = checkpoint.location();
    Set<String> weights = checkpoint.files();
    List<PackFile> work = new ArrayList<>();
    for (Store.Entry file : files) {
      Content content = weights.contains(file.name()) ? Content.TENSORS : Content.PLAIN;
      work.add(new PackFile(store, model, file.name(), file.length(), content, destination));
    }
    work.sort(Comparator.comparingLong(PackFile::bytes).reversed());
    double bytes = files.stream().mapToDouble(Store.Entry::length).sum();
    progress.begin("archive", bytes);
    List<PackFile.Packed> packed =
        tasks.run("archive " + model.name(), work, file -> advance(file.file().original()));
    List<ArchivedFile> archived =
        packed.stream()
            .map(PackFile.Packed::file)
            .sorted(Comparator.comparing(file -> file.original().name()))
            .toList();
    requireAsRecorded(model, archived);
    progress.begin("check", bytes);
    tasks.run(
        "check the archive of " + model.name(),
        work.stream().map(file -> check(file.name(), archived, destination)).toList(),
        this::advance);
    Figures figures =
        packed.stream().map(PackFile.Packed::figures).reduce(Figures.NONE, Figures::plus);
    lease.requireHeld();
    destination.commit(
        ArchiveManifest.FILE_NAME, SealedJson.seal(new ArchiveManifest(archived).json(figures)));
    return figures;
  }

  private CheckCoded check(String name, List<ArchivedFile> archived, Destination destination) {
    ArchivedFile file =
        archived.stream()
            .filter(one -> one.original().name().equals(name))
            .findFirst()
            .orElseThrow();
    return new CheckCoded(store, destination.folder(), file);
  }

  private void advance(PublishedFile file) {
    progress.advance((double) file.bytes(), file.name());
  }

  /** All files of the folder, which must be a checkpoint that nobody is at work on. */
  private List<Store.Entry> files(Location model) {
    List<Store.Entry> entries = store.list(model);
    Map<String, Store.Entry> byName = new HashMap<>();
    entries.forEach(entry -> byName.put(entry.name(), entry));
    if (byName.containsKey(RunRecord.FILE_NAME) && !byName.containsKey(Publisher.SUCCESS)) {
      throw new InputException(
          "%s holds %s, but no %s: the run that wrote it failed, or has not ended. Finish it with the same compress command, and archive it then."
              .formatted(model, RunRecord.FILE_NAME, Publisher.SUCCESS));
    }
    Location within = store.resolve(model);
    for (Store.Entry entry : entries) {
      if (entry.directory()) {
        throw new InputException(
            "%s holds the folder '%s', but an archive takes the files of one folder. Move it elsewhere, or wait for the run that works there."
                .formatted(model, entry.name()));
      }
      if (Checkpoint.isRefused(entry.name())) {
        throw new InputException(
            "%s holds '%s': weights in other formats and code are never copied, and an archive leaves no file out. Move it elsewhere."
                .formatted(model, entry.name()));
      }
      SafeFileName.check(model.toString(), ArchivedFile.codedName(entry.name()));
      Location target =
          store.resolve(model.child(SafeFileName.check(model.toString(), entry.name())));
      if (!target.isWithin(within)) {
        throw new InputException(
            "%s in %s is a link to %s, outside the checkpoint's folder, and is not followed. Copy the file itself into the folder."
                .formatted(entry.name(), model, target));
      }
    }
    return entries;
  }

  /** What was archived is what the run published, where it left a record of that. */
  private void requireAsRecorded(Location model, List<ArchivedFile> archived) {
    Map<String, PublishedFile> found = new HashMap<>();
    archived.forEach(file -> found.put(file.original().name(), file.original()));
    if (!found.containsKey(Publisher.SUCCESS)) {
      return;
    }
    Location success = model.child(Publisher.SUCCESS);
    for (PublishedFile recorded :
        RecordedFiles.parse(success.toString(), store.readAll(success, LARGEST_RECORD))) {
      if (!recorded.equals(found.get(recorded.name()))) {
        throw new InputException(
            "%s is not there as %s records it: the checkpoint was changed or damaged after it was published, and is not archived. Copy it again from where it is whole, or run compress again."
                .formatted(model.child(recorded.name()), Publisher.SUCCESS));
      }
    }
  }
}
