package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.common.storage.HadoopStore;
import io.shardpress.common.storage.Location;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
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
  private static final String NATIVE_CACHE = "-Dorg.bytedeco.javacpp.cachedir=";

  private final SparkSession session;

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
    requireVersion();
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
    try {
      return new Session(SparkSession.builder().config(conf).getOrCreate());
    } catch (Exception e) { // Scala throws checked exceptions undeclared
      throw new EnvironmentException(
          "Spark with the master %s did not start: %s. Check the master and the settings given to spark-submit; Spark's own log is above."
              .formatted(conf.get(MASTER), e.getMessage()),
          e);
    }
  }

  /** Says how executors load the numeric kernels; without effect in one process. */
  private static void prepareExecutors(SparkConf conf) {
    String options = conf.get(EXECUTOR_OPTIONS, "");
    if (!options.contains(NATIVE_CACHE)) {
      // Executors of one host that extract libraries into one folder damage each other's; a
      // relative folder lies in the executor's own working directory.
      conf.set(EXECUTOR_OPTIONS, (options + " " + NATIVE_CACHE + "shardpress-natives").strip());
    }
    // A task is one thread; without this the library starts one per core when it loads.
    conf.setIfMissing("spark.executorEnv.OPENBLAS_NUM_THREADS", "1");
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

  public Tasks tasks() {
    return new Tasks(context());
  }

  /** Storage with this application's Hadoop settings and credentials. */
  public HadoopStore store() {
    return HadoopStore.of(session.sparkContext().hadoopConfiguration());
  }

  /** Spark's name for the application. */
  public String applicationId() {
    return session.sparkContext().applicationId();
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
