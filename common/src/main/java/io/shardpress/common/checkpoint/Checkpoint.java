package io.shardpress.common.checkpoint;

import io.shardpress.common.error.CheckpointFormatException;
import io.shardpress.common.error.CheckpointFormatException.Code;
import io.shardpress.common.error.Printable;
import io.shardpress.common.safetensors.SafetensorsFile;
import io.shardpress.common.safetensors.SafetensorsHeader.Entry;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.common.tensor.RawTensor;
import io.shardpress.common.tensor.TensorSource;
import io.shardpress.common.tensor.TensorSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Hugging Face checkpoint: a folder with {@code config.json} and weights in {@code
 * model.safetensors}, or in the shards that {@code model.safetensors.index.json} names. Headers are
 * read when it is opened; a tensor's bytes only when asked for, each time anew, into a buffer that
 * the caller owns. Safe for use by several threads.
 *
 * <p>Nothing outside the folder is ever opened, and no weights in other formats. What breaks the
 * format is a {@link CheckpointFormatException}.
 */
public final class Checkpoint {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoint.class);
  static final String CONFIG = "config.json";
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";
  private static final long MAX_CONFIG_BYTES = 16 << 20;
  private static final long MAX_INDEX_BYTES = 100_000_000;

  private final Store store;
  private final CheckpointFolder folder;
  private final ModelConfig config;
  private final Optional<ShardIndex> index;
  private final Map<String, SafetensorsFile> shards = new ConcurrentHashMap<>();
  private final Companions companions;

  private Checkpoint(
      Store store, CheckpointFolder folder, ModelConfig config, Optional<ShardIndex> index) {
    this.store = store;
    this.folder = folder;
    this.config = config;
    this.index = index;
    this.companions = new Companions(store);
  }

  /**
   * Opens a checkpoint, and checks all its headers, that they agree with the index, and the files
   * that go with it.
   */
  public static Checkpoint open(Store store, Location location) {
    Checkpoint checkpoint = reopen(store, location);
    checkpoint.index.ifPresent(
        index ->
            IndexRules.check(
                location.child(INDEX), index, checkpoint.folder::has, checkpoint::shard));
    checkpoint.files().forEach(checkpoint::shard);
    checkpoint.specs().keySet().forEach(checkpoint::requirePrintable);
    checkpoint.companions.check(checkpoint.companionFiles());
    if (!checkpoint.refusedFiles().isEmpty()) {
      LOG.warn(
          "{}: neither read nor copied: {}",
          location,
          Printable.excerpt(String.join(", ", checkpoint.refusedFiles())));
    }
    return checkpoint;
  }

  /** Names of tensors go into logs, terminals and reports. */
  private void requirePrintable(String tensor) {
    if (!Printable.isPrintable(tensor)) {
      throw new CheckpointFormatException(
          Code.UNSAFE_TENSOR_NAME,
          "%s: the tensor name %s is refused: it is longer than any model's, or holds characters that cannot be printed. Do not use this checkpoint, or rename the tensor."
              .formatted(location(), Printable.quoted(tensor)));
    }
  }

  /**
   * Opens a checkpoint that {@link #open} accepted before, for a task that needs a few tensors:
   * reads the configuration and the index, and the header of a shard when a tensor of it is asked
   * for.
   */
  public static Checkpoint reopen(Store store, Location location) {
    CheckpointFolder folder = CheckpointFolder.list(store, location);
    folder.refuseWithoutWeights();
    byte[] config = store.readAll(folder.file(CONFIG), MAX_CONFIG_BYTES);
    return new Checkpoint(
        store,
        folder,
        ModelConfig.parse(location.child(CONFIG).toString(), config),
        index(store, folder));
  }

  private static Optional<ShardIndex> index(Store store, CheckpointFolder folder) {
    if (!folder.has(INDEX)) {
      return Optional.empty();
    }
    Location file = folder.file(INDEX);
    ShardIndex index = ShardIndex.parse(file.toString(), store.readAll(file, MAX_INDEX_BYTES));
    if (folder.has(SINGLE) && !index.files().contains(SINGLE)) {
      throw new CheckpointFormatException(
          Code.INVALID_INDEX,
          "%s holds both %s and an index of other files. Remove those that do not belong."
              .formatted(folder.location(), SINGLE));
    }
    return Optional.of(index);
  }

  public Location location() {
    return folder.location();
  }

  public ModelConfig config() {
    return config;
  }

  /** Names of the files that hold the weights, sorted. */
  public SortedSet<String> files() {
    return index.map(ShardIndex::files).orElseGet(() -> new TreeSet<>(List.of(SINGLE)));
  }

  /** Every tensor by name: file after file, in each in the order of the data. */
  public Map<String, TensorSpec> specs() {
    Map<String, TensorSpec> specs = new LinkedHashMap<>();
    for (String file : files()) {
      for (Entry entry : shard(file).header().tensors().values()) {
        specs.put(entry.spec().name(), entry.spec());
      }
    }
    return specs;
  }

  /** Names of all tensors; reads no header where there is an index. */
  public Set<String> names() {
    return index
        .map(i -> i.weightMap().keySet())
        .orElseGet(() -> shard(SINGLE).header().tensors().keySet());
  }

  public boolean contains(String tensor) {
    return index
        .map(i -> i.weightMap().containsKey(tensor))
        .orElseGet(() -> shard(SINGLE).header().tensors().containsKey(tensor));
  }

  /** Type and shape of a tensor. */
  public TensorSpec spec(String tensor) {
    return shardOf(tensor).spec(tensor);
  }

  /** The file that holds a tensor. */
  public SafetensorsFile shardOf(String tensor) {
    if (!contains(tensor)) {
      throw new CheckpointFormatException(
          Code.MISSING_TENSOR,
          "The checkpoint %s has no tensor '%s'. Check that it is complete and of the model type its config.json names."
              .formatted(location(), tensor));
    }
    return shard(index.map(i -> i.weightMap().get(tensor)).orElse(SINGLE));
  }

  /** A whole tensor of at most 2 GiB. */
  public RawTensor tensor(String name) {
    return shardOf(name).tensor(name);
  }

  /** A whole tensor of any size, to be read in parts. */
  public TensorSource source(String name) {
    return shardOf(name).source(name);
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive) along the first dimension. */
  public RawTensor rows(String name, long from, long to) {
    return shardOf(name).rows(name, from, to);
  }

  /** The rows with these numbers, in their order; a number may occur again. */
  public RawTensor gather(String name, long[] rows) {
    return shardOf(name).gather(name, rows);
  }

  /**
   * Files that go with the model unchanged: tokenizer, generation settings, licence and the like.
   * {@code config.json} is not among them.
   */
  public List<Location> companionFiles() {
    return folder.companions();
  }

  /**
   * The bytes of one of the {@link #companionFiles}, to be published: strict JSON where the name
   * says so, and the same bytes as on opening.
   */
  public byte[] companion(Location file) {
    return companions.read(file);
  }

  /**
   * Names of files that are never read or copied: weights in other formats, code, and what would go
   * with the model but for its name.
   */
  public List<String> refusedFiles() {
    return folder.refused();
  }

  /** Whether a file is never read or copied for its name: foreign weights and code. */
  public static boolean isRefused(String name) {
    return FileKinds.isRefused(name);
  }

  private SafetensorsFile shard(String file) {
    return shards.computeIfAbsent(file, name -> SafetensorsFile.read(store, folder.file(name)));
  }
}
