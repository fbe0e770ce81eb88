package io.shardpress.jobs.data;

import io.shardpress.common.error.InputException;
import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.Store;
import io.shardpress.jobs.data.TokenRuns.Kind;
import io.shardpress.jobs.spark.TaskFailures;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;
import org.slf4j.LoggerFactory;

/**
 * Reads data, tokenizes it and keeps the sequences as chunk files: once, under a content address.
 *
 * <p>A Spark job in two stages: files are read and tokenized, a task each; then, once the numbers
 * of tokens are known, every chunk is put together and written by one task. Neither result nor
 * bytes depend on the number of partitions. The store goes with the tasks and must be serializable.
 */
public final class TokenPreparation {
  private final JavaSparkContext spark;
  private final Store store;
  private final int partitions;
  private final int run;

  public TokenPreparation(SparkSession spark, Store store) {
    this(spark, store, spark.sparkContext().defaultParallelism(), TokenRuns.RUN);
  }

  /**
   * @param run about how many characters or ids go through memory at once
   */
  TokenPreparation(SparkSession spark, Store store, int partitions, int run) {
    this.spark = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.store = store;
    this.partitions = partitions;
    this.run = run;
  }

  /**
   * What is asked for, with the hashes of the data and the tokenizer: equal requests give equal
   * sequences.
   *
   * <p>Data that are missing or unreadable, and settings that the model cannot follow, are an
   * InputException.
   */
  public TokenRequest request(DataSettings settings, ModelTokens model) {
    TokenRequest.check(settings, model);
    List<DataFile> files = DataFiles.resolve(store, settings.data());
    Location tokenizer = TokenizerFile.of(model.checkpoint());
    String tokenizerHash = store.exists(tokenizer) ? StoredFiles.sha256(store, tokenizer) : "";
    try {
      return new TokenRequest(settings, model, files, hash(files), tokenizerHash);
    } catch (Exception e) {
      throw typed(e);
    } finally {
      spark.setJobDescription(null);
    }
  }

  /**
   * The sequences that were asked for: from {@code cache} when they are there, else made and kept
   * there, in a folder named by the content of the data, the tokenizer and the settings.
   *
   * <p>Data that are too few or not of this model are an InputException.
   */
  public TokenChunks prepare(TokenRequest request, Location cache) {
    try {
      Location directory = cache.child(request.address());
      Optional<TokenChunks> kept = TokenChunks.find(store, directory);
      return kept.orElseGet(() -> make(request, directory));
    } catch (Exception e) {
      throw typed(e);
    } finally {
      spark.setJobDescription(null);
    }
  }

  /** Both in one. */
  public TokenChunks prepare(DataSettings settings, ModelTokens model, Location cache) {
    return prepare(request(settings, model), cache);
  }

  /** The typed error that a task ended with, inside of what Spark throws. */
  private static RuntimeException typed(Exception thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof ShardpressException typed) {
        return typed;
      }
    }
    return TaskFailures.translate("tokenize", thrown);
  }

  private List<TokenManifest.Source> hash(List<DataFile> files) {
    spark.setJobDescription("Hash data files (%d)".formatted(files.size()));
    return spark.parallelize(files, slices(files.size())).map(new HashFile(store)).collect();
  }

  private TokenChunks make(TokenRequest request, Location directory) {
    spark.setJobDescription("Tokenize data files (%d)".formatted(request.files().size()));
    JavaRDD<TokenRun> runs =
        spark
            .parallelize(request.files(), slices(request.files().size()))
            .mapPartitions(new TokenizeFiles(store, request, run))
            .persist(StorageLevel.DISK_ONLY());
    try {
      throwFirst(runs.filter(TokenRun.Failure.class::isInstance).collect());
      List<TokenRun.Count> counts =
          runs.map(tokens -> ((TokenRun.Tokens) tokens).count()).collect();
      return write(runs, counts, request, directory);
    } finally {
      forget(runs);
    }
  }

  private static void forget(JavaRDD<?> kept) {
    try {
      kept.unpersist();
    } catch (RuntimeException e) {
      LoggerFactory.getLogger(TokenPreparation.class)
          .debug("Spark was stopped, and has forgotten it", e);
    }
  }

  private TokenChunks write(
      JavaRDD<TokenRun> runs,
      List<TokenRun.Count> counts,
      TokenRequest request,
      Location directory) {
    DataSettings settings = request.settings();
    Kind kind = kind(counts, request.files());
    int bos = request.bos(kind).orElse(-1);
    long tokens = counts.stream().mapToLong(TokenRun.Count::tokens).sum();
    Windows windows = Windows.of(settings, tokens, settings.length() - (bos < 0 ? 0 : 1));
    long[][] starts = starts(counts, request.files().size());
    int chunks = 1 + (windows.sequences() - 1) / settings.sequencesPerChunk();
    spark.setJobDescription("Write token chunks (%d)".formatted(chunks));
    List<TokenManifest.Chunk> written =
        runs.flatMapToPair(new CutWindows(starts, windows, settings.sequencesPerChunk()))
            .groupByKey(slices(chunks))
            .map(new WriteChunk(store, directory, settings, windows, bos))
            .collect();
    TokenManifest manifest =
        new TokenManifest(
            windows.sequences(),
            settings.length(),
            settings.sequencesPerChunk(),
            bos,
            Arrays.stream(windows.chosen()).boxed().toList(),
            tokens,
            request.sources(),
            kind == Kind.TEXT ? request.tokenizerSha256() : "",
            written.stream().sorted(Comparator.comparingInt(TokenManifest.Chunk::index)).toList());
    StoredFiles.writeOnce(store, TokenChunks.manifestOf(directory), manifest.toJson());
    return new TokenChunks(store, directory, manifest);
  }

  /** The failure that someone who reads the files in order would meet first. */
  private static void throwFirst(List<TokenRun> failures) {
    failures.stream()
        .map(TokenRun.Failure.class::cast)
        .min(Comparator.comparingInt(TokenRun.Failure::file))
        .ifPresent(
            failure -> {
              throw new InputException(failure.message());
            });
  }

  private static Kind kind(List<TokenRun.Count> counts, List<DataFile> files) {
    if (counts.stream().allMatch(count -> count.tokens() == 0)) {
      throw new InputException(
          "The data have no tokens: %s %s empty. Give files with text or token ids."
              .formatted(
                  files.get(0).location(),
                  files.size() == 1 ? "is" : "and %d more are".formatted(files.size() - 1)));
    }
    Kind kind = counts.get(0).kind();
    for (TokenRun.Count count : counts) {
      if (count.kind() != kind) {
        throw new InputException(
            "%s and %s hold one text and the other token ids. Give data of one kind."
                .formatted(
                    files.get(counts.get(0).file()).location(),
                    files.get(count.file()).location()));
      }
    }
    return kind;
  }

  /** By file and index of a stretch of ids: the place of its first among the ids of all files. */
  private static long[][] starts(List<TokenRun.Count> counts, int files) {
    int[] stretches = new int[files];
    counts.forEach(count -> stretches[count.file()]++);
    long[][] starts = Arrays.stream(stretches).mapToObj(long[]::new).toArray(long[][]::new);
    long start = 0;
    List<TokenRun.Count> ordered =
        counts.stream()
            .sorted(
                Comparator.comparingInt(TokenRun.Count::file)
                    .thenComparingInt(TokenRun.Count::index))
            .toList();
    for (TokenRun.Count count : ordered) {
      starts[count.file()][count.index()] = start;
      start += count.tokens();
    }
    return starts;
  }

  private int slices(int work) {
    return Math.max(1, Math.min(work, partitions));
  }
}
