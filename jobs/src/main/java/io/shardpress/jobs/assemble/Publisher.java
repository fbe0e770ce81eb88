package io.shardpress.jobs.assemble;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.error.OccupiedException;
import io.shardpress.common.error.PublishUnknownException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.json.StrictJson;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.costs.RunCosts;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.resume.UnfinishedRuns;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The only code that changes the destination. Weight files are written under their final names,
 * then the index, then the small files, and {@code _SUCCESS.json} last: a folder without it is no
 * checkpoint.
 */
public final class Publisher {
  public static final String SUCCESS = "_SUCCESS.json";
  private static final String CONFIG = "config.json";
  private static final long LARGEST_RECORD = 256 << 20;
  private static final String INDEX = "model.safetensors.index.json";

  /** What becomes of a checkpoint that an earlier run published to the same place. */
  public enum Existing {
    /** It stays, and the new run is refused. */
    REFUSE,
    /** It stays until the new run has its weights, and is replaced then. */
    REPLACE
  }

  private final HadoopStore store;
  private final Location output;
  private final Existing existing;
  private final Set<String> begun = new LinkedHashSet<>();
  private final List<PublishedFile> files = new ArrayList<>();
  private boolean owned;

  /** Whether the mark of completeness may have been written. */
  private boolean committing;

  public Publisher(HadoopStore store, Location output, Existing existing) {
    this.store = store;
    this.output = output;
    this.existing = existing;
  }

  /**
   * Refuses a destination that this run could not publish to; changes nothing.
   *
   * @throws DestinationException when it is occupied
   */
  public void requireUsable(UnfinishedRuns unfinished) {
    List<String> present = present();
    switch (existing) {
      case REFUSE -> requireFree(present, unfinished);
      case REPLACE -> requireOurs(present);
    }
  }

  /** Whether one of these runs has published here, and was only killed as it tidied up. */
  public boolean isCompleteBy(List<UUID> runs) {
    return committed().filter(runs::contains).isPresent();
  }

  /** The run that published here; empty when none did to the end. */
  private Optional<UUID> committed() {
    Location success = output.child(SUCCESS);
    try {
      return store.exists(success)
          ? Optional.of(
              UUID.fromString(
                  StrictJson.parseObject(success.toString(), store.readAll(success, LARGEST_RECORD))
                      .path("run_id")
                      .asText()))
          : Optional.empty();
    } catch (InputException | IllegalArgumentException e) {
      return Optional.empty(); // killed as it was written: it counts as absent
    }
  }

  /**
   * Takes the destination for a run that begins, before anything is paid for, and leaves {@code
   * record} in it. A complete checkpoint that is to be replaced is not touched yet.
   */
  public void claim(RunRecord record) {
    if (committed().isEmpty()) {
      present().stream()
          .filter(name -> !name.equals(Workspace.STAGING))
          .forEach(name -> store.delete(output.child(name)));
      own(record);
    }
  }

  /** Goes on where an earlier attempt of the run stopped; what it has begun is written anew. */
  public void resume(RunRecord record) {
    if (committed().isEmpty()) {
      own(record);
    }
  }

  private List<String> present() {
    try {
      return store.list(output).stream().map(Store.Entry::name).toList();
    } catch (InputException e) {
      throw new DestinationException(
          "The output %s cannot be a folder: it, or a part of its path, is a file. Choose another --output."
              .formatted(output),
          e);
    }
  }

  private void requireFree(List<String> present, UnfinishedRuns unfinished) {
    List<String> foreign =
        present.stream()
            .filter(name -> !name.equals(RunRecord.FILE_NAME) && !name.equals(Workspace.STAGING))
            .toList();
    if (foreign.isEmpty()) {
      return;
    }
    Optional<UUID> run = committed();
    boolean ofUnfinishedRun = run.map(unfinished.ids()::contains).orElseGet(unfinished::any);
    if (!ofUnfinishedRun) {
      throw new DestinationException(
          "The output %s is not empty: it holds %s%s. Choose another --output, or add --overwrite to replace a checkpoint that Shardpress wrote."
              .formatted(
                  output,
                  String.join(", ", foreign.subList(0, Math.min(3, foreign.size()))),
                  foreign.size() > 3 ? " and %d more".formatted(foreign.size() - 3) : ""));
    }
  }

  private void requireOurs(List<String> present) {
    boolean ours =
        present.contains(SUCCESS)
            || present.contains(RunRecord.FILE_NAME)
            || present.stream().allMatch(Workspace.STAGING::equals);
    if (!present.isEmpty() && !ours) {
      throw new DestinationException(
          "The output %s holds files that Shardpress did not write (there is no %s or %s), so --overwrite leaves it alone. Choose another --output, or empty the folder yourself."
              .formatted(output, SUCCESS, RunRecord.FILE_NAME));
    }
  }

  private void own(RunRecord record) {
    write(output.child(RunRecord.FILE_NAME), Json.text(record));
    owned = true;
  }

  /**
   * Puts down what will be written here, so that it can be removed whenever the run dies, and
   * removes the checkpoint that is to be replaced, if there is one.
   *
   * @param record left in its place
   */
  public void makeRoom(
      RunRecord record, Workspace workspace, List<OutputShard> shards, Checkpoint source) {
    List<String> names = new ArrayList<>(List.of(SUCCESS, INDEX, CONFIG, RunCosts.FILE_NAME));
    shards.forEach(shard -> names.add(shard.fileName()));
    source.companionFiles().forEach(file -> names.add(file.name()));
    PlannedFiles.write(store, workspace, names);
    begun.addAll(names);
    if (owned) {
      shards.forEach(shard -> store.delete(output.child(shard.fileName()))); // an earlier attempt's
      return;
    }
    // The mark of completeness goes first: a half-deleted checkpoint must not look whole.
    store.delete(output.child(SUCCESS));
    present().stream()
        .filter(name -> !name.equals(Workspace.STAGING))
        .forEach(name -> store.delete(output.child(name)));
    own(record);
  }

  /** Writes the weight files as a Spark job, and the index when there are several. */
  public void writeShards(
      List<OutputShard> shards, Workspace workspace, Tasks tasks, Progress progress) {
    progress.begin("assemble", shards.stream().mapToDouble(OutputShard::bytes).sum());
    List<AssembleShard> work =
        shards.stream().map(shard -> new AssembleShard(store, output, workspace, shard)).toList();
    shards.forEach(shard -> begun.add(shard.fileName()));
    files.addAll(
        tasks.run(
            "assemble " + shards.size() + " files",
            work,
            file -> progress.advance((double) file.bytes(), file.name())));
    if (shards.size() > 1) {
      Map<String, String> weightMap = new TreeMap<>();
      shards.forEach(
          shard ->
              shard
                  .tensors()
                  .forEach(tensor -> weightMap.put(tensor.spec().name(), shard.fileName())));
      long totalSize = shards.stream().mapToLong(OutputShard::bytes).sum();
      publish(INDEX, Json.text(new Index(Map.of("total_size", totalSize), weightMap)));
    }
  }

  /** The index of a sharded checkpoint, in the field's own key spelling. */
  private record Index(Map<String, Long> metadata, Map<String, String> weightMap) {}

  /** Copies the tokenizer and other small files, and writes {@code config.json}. */
  public void writeCompanions(Checkpoint source, ObjectNode config) {
    for (Location file : source.companionFiles()) {
      publish(file.name(), source.companion(file));
    }
    publish(CONFIG, Json.text(config));
  }

  /** Writes what the run's tasks cost; like {@code run.json} it differs from run to run. */
  public void writeCosts(RunCosts costs) {
    publish(RunCosts.FILE_NAME, Json.text(costs));
  }

  /**
   * Declares the checkpoint complete.
   *
   * @throws PublishUnknownException when it cannot be learned whether that succeeded
   */
  public void commit(RunRecord record) {
    publish(RunRecord.FILE_NAME, Json.text(record));
    String text = Json.text(new Success(record.format(), record.runId(), files()));
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Location success = output.child(SUCCESS);
    if (committed().isEmpty()) {
      store.delete(success); // at most what a killed attempt began
    }
    try (OutputStream out = store.create(success)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (EnvironmentException | OccupiedException e) {
      requireWritten(success, bytes, e);
    }
  }

  /** The answer to the last write was lost: what is there decides. */
  private void requireWritten(Location success, byte[] bytes, ShardpressException lost) {
    try {
      if (store.exists(success) && Arrays.equals(store.readAll(success, LARGEST_RECORD), bytes)) {
        return;
      }
    } catch (EnvironmentException e) {
      committing = true;
      throw new PublishUnknownException(
          "It could not be learned whether %s was written, so whether the checkpoint at %s is complete is unknown; nothing was removed. When the storage answers again, run `shardpress verify --output %s`, or start the same command again: it finishes what is missing. (%s)"
              .formatted(success, output, output, e.getMessage()),
          e);
    }
    throw lost;
  }

  /** What {@code _SUCCESS.json} holds: every other file of the checkpoint, with its hash. */
  public record Success(String format, String runId, List<PublishedFile> files) {}

  /** The files published so far. */
  public List<PublishedFile> files() {
    return List.copyOf(files);
  }

  /**
   * Takes back what was written and leaves the record of the failure in its place. A checkpoint
   * that was to be replaced, and is still there, stays as it is.
   *
   * @param cause the run's failure, to which trouble on the way is added
   */
  public void withdraw(RunRecord record, RuntimeException cause) {
    if (!owned || committing) {
      return;
    }
    try {
      store.delete(output.child(SUCCESS));
      begun.forEach(name -> store.delete(output.child(name)));
      write(output.child(RunRecord.FILE_NAME), Json.text(record));
    } catch (RuntimeException e) {
      // The run's own failure is the one to report.
      cause.addSuppressed(e);
    }
  }

  /**
   * Removes what unfinished runs have left: their work, and files of a checkpoint that was never
   * completed. To be called by who holds the lease.
   *
   * @return what was removed
   */
  public List<Location> clean(UnfinishedRuns unfinished) {
    List<Location> removed = new ArrayList<>();
    if (committed().isEmpty()) {
      Set<String> present = new LinkedHashSet<>(present());
      Set<String> ours = new LinkedHashSet<>(List.of(RunRecord.FILE_NAME));
      for (UUID run : unfinished.ids()) {
        ours.addAll(PlannedFiles.read(store, Workspace.beside(output, run)));
      }
      ours.stream().filter(present::contains).map(output::child).forEach(removed::add);
    }
    for (UUID run : unfinished.ids()) {
      removed.add(Workspace.beside(output, run).root());
    }
    removed.forEach(store::delete);
    return List.copyOf(removed);
  }

  private void publish(String name, String text) {
    publish(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private void publish(String name, byte[] bytes) {
    begun.add(name);
    write(output.child(name), bytes);
    files.add(new PublishedFile(name, bytes.length, Sha256.of(bytes)));
  }

  private void write(Location file, String text) {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private void write(Location file, byte[] bytes) {
    try (OutputStream out = store.replace(file)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
