package io.shardpress.jobs.job;

import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.assemble.Publisher;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.spark.Session;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.verify.CheckFile;
import io.shardpress.jobs.verify.CheckTensor;
import io.shardpress.jobs.verify.RecordedFiles;
import io.shardpress.operators.linalg.KernelChoice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Re-reads a published checkpoint strictly. What does not match what the run recorded is an {@link
 * InputException}; nothing is repaired.
 */
public final class VerifyJob {
  private static final long LARGEST_RECORD = 16 << 20;

  private final Session session;
  private final Progress progress;
  private final KernelChoice kernels;

  public VerifyJob(Session session, Progress progress, KernelChoice kernels) {
    this.session = session;
    this.progress = progress;
    this.kernels = kernels;
  }

  /**
   * @param source the dense original; without it only files and headers are checked
   * @return what was verified, for people
   */
  public String run(Location output, Optional<Location> source) {
    HadoopStore store = session.store();
    List<PublishedFile> files = recordedFiles(store, output);
    progress.begin("verify", files.stream().mapToDouble(PublishedFile::bytes).sum());
    session
        .tasks(kernels)
        .run(
            "verify files of " + output.name(),
            files.stream().map(file -> new CheckFile(store, output, file)).toList(),
            file -> progress.advance((double) file.bytes(), file.name()));
    refuseForeignFiles(store, output, files);
    ModelRef model = new ModelRef(store, output);
    Checkpoint checkpoint = model.openWhole().checkpoint();
    if (source.isEmpty()) {
      return "verified %d files, %d tensors".formatted(files.size(), checkpoint.names().size());
    }
    return compare(model, new ModelRef(store, source.get()), files.size());
  }

  private String compare(ModelRef model, ModelRef source, int files) {
    List<String> tensors = new ArrayList<>(source.openWhole().checkpoint().names());
    progress.begin("verify", tensors.size());
    List<CheckTensor.Checked> checked =
        session
            .tasks(kernels)
            .run(
                "verify tensors against " + source.location().name(),
                tensors.stream().map(name -> new CheckTensor(model, source, name)).toList(),
                tensor -> progress.advance(1, tensor.name()));
    List<CheckTensor.Checked> compressed =
        checked.stream().filter(CheckTensor.Checked::compressed).toList();
    String worst =
        compressed.stream()
            .max(Comparator.comparingDouble(CheckTensor.Checked::error))
            .map(
                tensor ->
                    String.format(
                        Locale.ROOT,
                        "; largest weight error %.3e (share of energy) in %s",
                        tensor.error(),
                        tensor.name()))
            .orElse("");
    return "verified %d files; %d tensors equal to the source, %d compressed%s"
        .formatted(files, checked.size() - compressed.size(), compressed.size(), worst);
  }

  private static List<PublishedFile> recordedFiles(HadoopStore store, Location output) {
    Location success = output.child(Publisher.SUCCESS);
    if (!store.exists(success)) {
      throw new InputException(
          "%s holds no %s: it is not a complete checkpoint of Shardpress. Run compress again, or name another folder."
              .formatted(output, Publisher.SUCCESS));
    }
    return RecordedFiles.parse(success.toString(), store.readAll(success, LARGEST_RECORD));
  }

  private static void refuseForeignFiles(
      HadoopStore store, Location output, List<PublishedFile> files) {
    List<String> known = new ArrayList<>(files.stream().map(PublishedFile::name).toList());
    known.add(Publisher.SUCCESS);
    store.list(output).stream()
        .filter(entry -> !known.contains(entry.name()))
        .findFirst()
        .ifPresent(
            entry -> {
              throw new InputException(
                  "%s holds '%s', which the run that wrote the checkpoint does not know. Remove it, or run compress again."
                      .formatted(output, entry.name()));
            });
  }
}
