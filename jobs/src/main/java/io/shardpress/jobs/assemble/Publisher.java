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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The only code that changes the destination. Weight files are written under their final names,
 * then the index, then the small files, and {@code _SUCCESS.json} last: a folder without it is no
 * checkpoint.
 */
public final class Publisher {
  public static final String SUCCESS = "_SUCCESS.json";
  private static final String INDEX = "model.safetensors.index.json";
  private static final long LARGEST_COMPANION = 1L << 30;

  private final HadoopStore store;
  private final Location output;
  private final List<PublishedFile> files = new ArrayList<>();
  private final Set<String> begun = new TreeSet<>();

  public Publisher(HadoopStore store, Location output) {
    this.store = store;
    this.output = output;
  }

  /**
   * Refuses a destination that holds more than the record of a failed run.
   *
   * @throws DestinationException when it is occupied
   */
  public void requireFree() {
    List<String> present =
        present().stream().filter(name -> !name.equals(RunRecord.FILE_NAME)).toList();
    if (present.contains(Workspace.STAGING)) {
      throw new DestinationException(
          "The output %s holds an unfinished run (%s). If that run is not working any more, add --overwrite to start again; otherwise choose another --output."
              .formatted(output, Workspace.STAGING));
    }
    if (!present.isEmpty()) {
      throw new DestinationException(
          "The output %s is not empty: it holds %s%s. Choose another --output, or add --overwrite to replace a checkpoint that Shardpress wrote."
              .formatted(
                  output,
                  String.join(", ", present.subList(0, Math.min(3, present.size()))),
                  present.size() > 3 ? " and %d more".formatted(present.size() - 3) : ""));
    }
  }

  /**
   * Marks the destination as this run's, before anything is paid for. A run that is killed leaves
   * the mark, by which {@link #requireReplaceable} knows what may be removed.
   *
   * @throws DestinationException when it cannot be written to
   */
  public void begin(RunRecord record) {
    write(RunRecord.FILE_NAME, Json.text(record));
    files.clear();
  }

  /**
   * Refuses a destination that is not an earlier run's to replace, and one that holds the model
   * which is to be compressed.
   *
   * @throws DestinationException when it may not be emptied
   */
  public void requireReplaceable(Location model) {
    List<String> present = present();
    boolean ours = present.contains(SUCCESS) || present.contains(RunRecord.FILE_NAME);
    if (!present.isEmpty() && store.resolve(model).isWithin(store.resolve(output))) {
      throw new DestinationException(
          "The output %s holds the model that is to be compressed (%s), so it cannot be replaced. Choose another --output."
              .formatted(output, model));
    }
    if (!present.isEmpty() && !ours) {
      throw new DestinationException(
          "The output %s holds files that Shardpress did not write (there is no %s or %s), so --overwrite leaves it alone. Choose another --output, or empty the folder yourself."
              .formatted(output, SUCCESS, RunRecord.FILE_NAME));
    }
  }

  /** Empties the destination, but for the workspace of this run. */
  public void clear(Workspace workspace) {
    // The mark of completeness goes first: a half-deleted checkpoint must not look whole.
    store.delete(output.child(SUCCESS));
    present().stream()
        .filter(name -> !name.equals(Workspace.STAGING))
        .forEach(name -> store.delete(output.child(name)));
    Location staging = output.child(Workspace.STAGING);
    store.list(staging).stream()
        .filter(entry -> !entry.name().equals(workspace.root().name()))
        .forEach(entry -> store.delete(staging.child(entry.name())));
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

  /** Writes the weight files as a Spark job, and the index when there are several. */
  public void writeShards(List<OutputShard> shards, Tasks tasks, Progress progress) {
    progress.begin("assemble", shards.stream().mapToLong(OutputShard::bytes).sum());
    shards.forEach(shard -> begun.add(shard.fileName()));
    List<AssembleShard> work =
        shards.stream().map(shard -> new AssembleShard(store, output, shard)).toList();
    files.addAll(
        tasks.run(
            "assemble " + shards.size() + " files",
            work,
            file -> progress.advance(file.bytes(), file.name())));
    if (shards.size() > 1) {
      Map<String, String> weightMap = new TreeMap<>();
      shards.forEach(
          shard ->
              shard
                  .tensors()
                  .forEach(tensor -> weightMap.put(tensor.spec().name(), shard.fileName())));
      long totalSize = shards.stream().mapToLong(OutputShard::bytes).sum();
      write(INDEX, Json.text(new Index(Map.of("total_size", totalSize), weightMap)));
    }
  }

  /** The index of a sharded checkpoint, in the field's own key spelling. */
  private record Index(Map<String, Long> metadata, Map<String, String> weightMap) {}

  /** Copies the tokenizer and other small files, and writes {@code config.json}. */
  public void writeCompanions(Checkpoint source, ObjectNode config) {
    for (Location file : source.companionFiles()) {
      write(file.name(), store.readAll(file, LARGEST_COMPANION));
    }
    write("config.json", Json.text(config));
  }

  /** Declares the checkpoint complete. */
  public void commit(RunRecord record) {
    write(RunRecord.FILE_NAME, Json.text(record));
    write(SUCCESS, Json.text(new Success(record.format(), record.runId(), List.copyOf(files))));
  }

  /** What {@code _SUCCESS.json} holds: every other file of the checkpoint, with its hash. */
  public record Success(String format, String runId, List<PublishedFile> files) {}

  /** The files written so far. */
  public List<PublishedFile> files() {
    return List.copyOf(files);
  }

  /**
   * Takes back what was written and, if anything was, leaves the record of the failed run where the
   * checkpoint would have been.
   *
   * @param cause what made the run fail, and is to be reported whatever happens here
   */
  public void withdraw(RunRecord record, RuntimeException cause) {
    boolean touched = !begun.isEmpty();
    begun.forEach(name -> attempt(() -> store.delete(output.child(name)), cause));
    files.clear();
    if (touched) {
      attempt(() -> write(RunRecord.FILE_NAME, Json.text(record)), cause);
    }
  }

  private static void attempt(Runnable cleaning, RuntimeException cause) {
    try {
      cleaning.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void write(String name, String text) {
    write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private void write(String name, byte[] bytes) {
    begun.add(name);
    try (OutputStream out = store.replace(output.child(name))) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    files.add(new PublishedFile(name, bytes.length, Sha256.of(bytes)));
  }
}
