package io.shardpress.jobs.assemble;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.shardpress.common.checkpoint.Checkpoint;
import io.shardpress.common.error.DestinationException;
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
import java.util.TreeMap;

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
        store.list(output).stream()
            .map(Store.Entry::name)
            .filter(name -> !name.equals(RunRecord.FILE_NAME))
            .toList();
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
   * the mark, by which {@link #clear} knows what it may remove.
   *
   * @throws DestinationException when it cannot be written to
   */
  public void begin(RunRecord record) {
    write(RunRecord.FILE_NAME, Json.text(record));
    files.clear();
  }

  /**
   * Empties a destination that an earlier run published to.
   *
   * @throws DestinationException when what is there is not a run's output
   */
  public void clear() {
    List<Store.Entry> present = store.list(output);
    boolean ours =
        present.stream()
            .anyMatch(
                entry -> entry.name().equals(SUCCESS) || entry.name().equals(RunRecord.FILE_NAME));
    if (!present.isEmpty() && !ours) {
      throw new DestinationException(
          "The output %s holds files that Shardpress did not write (there is no %s or %s), so --overwrite leaves it alone. Choose another --output, or empty the folder yourself."
              .formatted(output, SUCCESS, RunRecord.FILE_NAME));
    }
    // The mark of completeness goes first: a half-deleted checkpoint must not look whole.
    store.delete(output.child(SUCCESS));
    present.forEach(entry -> store.delete(output.child(entry.name())));
  }

  /** Writes the weight files as a Spark job, and the index when there are several. */
  public void writeShards(List<OutputShard> shards, Tasks tasks, Progress progress) {
    progress.begin("assemble", shards.stream().mapToLong(OutputShard::bytes).sum());
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

  /** Leaves the record of a failed run where the checkpoint would have been. */
  public void recordFailure(RunRecord record, RuntimeException cause) {
    try {
      write(RunRecord.FILE_NAME, Json.text(record));
    } catch (RuntimeException e) {
      // The run's own failure is the one to report.
      cause.addSuppressed(e);
    }
  }

  /** The files written so far. */
  public List<PublishedFile> files() {
    return List.copyOf(files);
  }

  /** Takes back what was written, after a failure. */
  public void withdraw() {
    files.forEach(file -> store.delete(output.child(file.name())));
    files.clear();
  }

  private void write(String name, String text) {
    write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private void write(String name, byte[] bytes) {
    try (OutputStream out = store.replace(output.child(name))) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    files.add(new PublishedFile(name, bytes.length, Sha256.of(bytes)));
  }
}
