package io.shardpress.jobs.assemble;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.DestinationException;
import io.shardpress.common.error.InputException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.report.RunRecord;
import io.shardpress.jobs.run.Json;
import io.shardpress.jobs.run.Progress;
import io.shardpress.jobs.run.PublishedFile;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Tasks;
import io.shardpress.jobs.storage.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The only code that changes the destination. Weight files are written under their final names,
 * then the index, then the small files, and {@code _SUCCESS.json} last: a folder without it is no
 * checkpoint.
 */
public final class Publisher {
  public static final String SUCCESS = "_SUCCESS.json";
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

  public Publisher(HadoopStore store, Location output, Existing existing) {
    this.store = store;
    this.output = output;
    this.existing = existing;
  }

  /**
   * Takes the destination for this run, before anything is paid for, and leaves {@code record} in
   * it. A run that is killed leaves that record, by which a later one knows what it may remove. A
   * complete checkpoint that is to be replaced is not touched yet.
   *
   * @throws DestinationException when the destination is occupied or cannot be written to
   */
  public void claim(RunRecord record, Workspace workspace) {
    List<String> present = present();
    switch (existing) {
      case REFUSE -> requireFree(present);
      case REPLACE -> requireOurs(present);
    }
    if (present.contains(SUCCESS)) {
      write(workspace.root().child(RunRecord.FILE_NAME), Json.text(record));
    } else {
      present.forEach(name -> store.delete(output.child(name)));
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

  private void requireFree(List<String> present) {
    if (present.contains(Workspace.STAGING)) {
      throw new DestinationException(
          "The output %s holds an unfinished run (%s). If that run is not working any more, add --overwrite to start again; otherwise choose another --output."
              .formatted(output, Workspace.STAGING));
    }
    List<String> foreign =
        present.stream().filter(name -> !name.equals(RunRecord.FILE_NAME)).toList();
    if (!foreign.isEmpty()) {
      throw new DestinationException(
          "The output %s is not empty: it holds %s%s. Choose another --output, or add --overwrite to replace a checkpoint that Shardpress wrote."
              .formatted(
                  output,
                  String.join(", ", foreign.subList(0, Math.min(3, foreign.size()))),
                  foreign.size() > 3 ? " and %d more".formatted(foreign.size() - 3) : ""));
    }
  }

  private void requireOurs(List<String> present) {
    boolean ours = present.contains(SUCCESS) || present.contains(RunRecord.FILE_NAME);
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
   * Removes the checkpoint that is to be replaced, if there is one.
   *
   * @param record left in its place
   */
  public void makeRoom(RunRecord record) {
    if (owned) {
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
  public void writeShards(List<OutputShard> shards, Tasks tasks, Progress progress) {
    progress.begin("assemble", shards.stream().mapToDouble(OutputShard::bytes).sum());
    List<AssembleShard> work =
        shards.stream().map(shard -> new AssembleShard(store, output, shard)).toList();
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
    publish("config.json", Json.text(config));
  }

  /** Declares the checkpoint complete. */
  public void commit(RunRecord record) {
    publish(RunRecord.FILE_NAME, Json.text(record));
    publish(SUCCESS, Json.text(new Success(record.format(), record.runId(), files())));
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
    if (!owned) {
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
