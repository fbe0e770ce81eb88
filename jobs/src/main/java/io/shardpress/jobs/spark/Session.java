package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import io.shardpress.jobs.costs.TaskLog;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Kernels;
import io.shardpress.operators.linalg.Natives;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * A Spark application: the one that {@code spark-submit} started, or one inside this process when
 * nothing says which master to use.
 */
public final class Session implements AutoCloseable {
  private static final String MASTER = "spark.master";
  private static final String EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions";
  private static final String DEFAULT_OPTIONS = "spark.executor.defaultJavaOptions";
  private static final String OWN_CACHE = "shardpress-natives";

  /** What a user may have said of the heap. */
  private static final Pattern HEAP_OPTIONS =
      Pattern.compile("-XX:[+-]Use\\w*GC\\b|-Xm[sn]|AlwaysPreTouch|-XX:(Initial|New|Max)\\w+=");

  /**
   * Settings of glibc's malloc; other C libraries ignore them. By default memory of more than 32 MB
   * is fresh from the kernel every time, which costs 0.4 ms per MB to touch. These keep what is
   * freed in pieces of up to 128 MiB for whatever is next, in one pool for all threads: 0.1 ms. It
   * returns to the kernel when more than 512 MiB of it end the pool, and all of it when JavaCPP
   * sees the process near its limit. With a higher threshold large pieces that are still in use
   * keep freed ones below them from the kernel, and a process grows to three times what it uses;
   * huge pages gain little more and stall where memory is fragmented. The launcher sets the same.
   */
  private static final String MALLOC =
      "glibc.malloc.mmap_threshold=134217728:glibc.malloc.trim_threshold=536870912"
          + ":glibc.malloc.arena_max=1";

  private final SparkSession session;
  private final KernelsUsed kernels = new KernelsUsed();
  private final MemoryUsed memory = new MemoryUsed();

  private Session(SparkSession session) {
    this.session = session;
  }

  /**
   * Starts Spark.
   *
   * @param settings used where neither {@code spark-submit} nor {@code spark-defaults.conf} has set
   *     them
   */
  public static Session start(Map<String, String> settings) {
    return start(settings, Optional.empty());
  }

  /** The same; tasks of this process find the kernels loaded that they will compute with. */
  public static Session start(Map<String, String> settings, KernelChoice kernels) {
    return start(settings, Optional.of(kernels));
  }

  private static Session start(Map<String, String> settings, Optional<KernelChoice> ahead) {
    requireVersion();
    prepareProcess();
    SparkConf conf = configuration(settings);
    if (conf.get(MASTER).startsWith("local")) {
      ahead.ifPresent(Kernels::loadAhead);
    }
    try {
      return new Session(SparkSession.builder().config(conf).getOrCreate());
    } catch (Exception e) { // Scala throws checked exceptions undeclared
      throw new EnvironmentException(
          "Spark with the master %s did not start: %s. Check the master and the settings given to spark-submit; Spark's own log is above."
              .formatted(conf.get(MASTER), e.getMessage()),
          e);
    }
  }

  /**
   * What a process of an application with these settings would have for its tasks; Spark is not
   * started.
   */
  public static MemoryBudget budget(Map<String, String> settings) {
    prepareProcess();
    return MemoryBudget.of(configuration(settings));
  }

  private static SparkConf configuration(Map<String, String> settings) {
    SparkConf conf = new SparkConf();
    settings.forEach(conf::setIfMissing);
    conf.setIfMissing("spark.app.name", "shardpress");
    if (!conf.contains(MASTER)) {
      // All cores, and a second chance for a task, which plain local[*] does not give.
      conf.set(MASTER, "local[*,2]");
      conf.setIfMissing("spark.driver.host", "127.0.0.1");
      conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
    }
    // Tasks are few and long; waiting for a better place costs more than a remote read.
    conf.setIfMissing("spark.locality.wait", "0s");
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    prepareExecutors(conf);
    return conf;
  }

  /**
   * Settles where this process unpacks native libraries and how large it may become, where nothing
   * has been said. It counts until the first array.
   */
  public static void prepareProcess() {
    if ("cluster".equals(System.getProperty("spark.submit.deployMode"))) {
      Natives.cacheIn(OWN_CACHE); // the driver has a working directory of its own there
    }
    Natives.limitMemory(MemoryLimits.here());
  }

  /** Says how executors load native libraries and use memory; without effect in one process. */
  static void prepareExecutors(SparkConf conf) {
    // JavaCPP locks its folder while it unpacks, but goes by the name of a jar: applications of
    // two versions on one host would delete each other's libraries, and not every file system
    // locks. A relative folder lies in the executor's own working directory, and goes with it.
    addOption(conf, Natives.CACHE_DIRECTORY, OWN_CACHE);
    String limit = Long.toString(MemoryLimits.ofExecutor(conf));
    addOption(conf, Natives.MAX_BYTES, limit);
    addOption(conf, Natives.MAX_PHYSICAL_BYTES, limit);
    fixHeap(conf);
    // Tasks bring their own threads; without this the libraries start one per core as they load.
    conf.setIfMissing("spark.executorEnv.OPENBLAS_NUM_THREADS", "1");
    conf.setIfMissing("spark.executorEnv.OMP_NUM_THREADS", "1");
    conf.setIfMissing("spark.executorEnv.GLIBC_TUNABLES", MALLOC);
  }

  /**
   * The heap is a promise to the executor in any case; resident from the start, it makes what the
   * process will become a sum that can be known before. Half of it is for what dies young, as in
   * the launcher, and the parallel collector needs little beside it.
   */
  private static void fixHeap(SparkConf conf) {
    String given = conf.get(DEFAULT_OPTIONS, "") + " " + conf.get(EXECUTOR_OPTIONS, "");
    if (!HEAP_OPTIONS.matcher(given).find()) {
      String options =
          " -Xms%dm -XX:+AlwaysPreTouch -XX:+UseParallelGC -XX:NewRatio=1"
              .formatted(MemoryLimits.heapOfExecutor(conf) / MemoryLimits.MEBI);
      conf.set(DEFAULT_OPTIONS, (conf.get(DEFAULT_OPTIONS, "") + options).strip());
    }
  }

  private static void addOption(SparkConf conf, String property, String value) {
    String given = conf.get(DEFAULT_OPTIONS, "") + " " + conf.get(EXECUTOR_OPTIONS, "");
    if (!given.toLowerCase(Locale.ROOT).contains("-d" + property + "=")) {
      String option = " -D%s=%s".formatted(property, value);
      conf.set(EXECUTOR_OPTIONS, (conf.get(EXECUTOR_OPTIONS, "") + option).strip());
    }
  }

  private static void requireVersion() {
    String version = org.apache.spark.package$.MODULE$.SPARK_VERSION();
    if (!version.startsWith("4.")) {
      throw new EnvironmentException(
          "Shardpress needs Spark 4.x, Scala 2.13 and Java 17 or newer; found Spark %s, Scala %s, Java %s. Submit with a Spark 4 distribution."
              .formatted(
                  version,
                  scala.util.Properties.versionNumberString(),
                  System.getProperty("java.version")));
    }
  }

  public SparkSession sql() {
    return session;
  }

  public JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  /** Runs tasks that compute with the kernels chosen. */
  public Tasks tasks(KernelChoice choice) {
    return tasks(choice, new TaskLog());
  }

  /** The same; the log is told what they cost. */
  public Tasks tasks(KernelChoice choice, TaskLog log) {
    return new Tasks(context(), choice, kernels, memory, log);
  }

  /** What a process of this application has for its tasks. */
  public MemoryBudget budget() {
    return MemoryBudget.of(session.sparkContext().getConf());
  }

  /** Storage with this application's Hadoop settings and credentials. */
  public HadoopStore store() {
    return HadoopStore.of(session.sparkContext().hadoopConfiguration());
  }

  public Application application() {
    SparkConf conf = session.sparkContext().getConf();
    return new Application(
        session.sparkContext().applicationId(),
        conf.get("spark.driver.host"),
        conf.getInt("spark.task.cpus", 1),
        kernels,
        memory);
  }

  /**
   * A folder for what only this application needs, absent until written to and to be deleted: local
   * where Spark is, else in the user's home on the default file system, which executors share.
   */
  public Location scratch() {
    String name = ".shardpress-" + UUID.randomUUID();
    if (session.sparkContext().isLocal()) {
      return Location.of(System.getProperty("java.io.tmpdir")).child(name);
    }
    try {
      FileSystem files = FileSystem.get(session.sparkContext().hadoopConfiguration());
      return Location.of(files.getHomeDirectory().toString()).child(name);
    } catch (IOException e) {
      throw new EnvironmentException(
          "The default file system cannot be reached: %s. Check fs.defaultFS."
              .formatted(e.getMessage()),
          e);
    }
  }

  @Override
  public void close() {
    session.stop();
  }
}
