package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.operators.linalg.Natives;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What executors are told; Spark itself is not started. */
class SessionTest {
  private static final String OPTIONS = "spark.executor.extraJavaOptions";
  private static final long MEBI = 1 << 20;

  @Test
  void tellsExecutorsWhereToUnpackAndHowLargeTheyMayBecome() {
    SparkConf conf = prepared(Map.of("spark.master", "yarn", "spark.executor.memory", "8g"));

    long limit = (8192 + 819) * MEBI * 95 / 100;
    assertThat(conf.get(OPTIONS).split(" "))
        .hasSize(3)
        .contains("-Dorg.bytedeco.javacpp.cachedir=shardpress-natives")
        .satisfies(options -> assertThat(number(options[1])).isBetween(limit, limit + 2 * MEBI));
    assertThat(conf.get(OPTIONS))
        .matches(".*-Dorg.bytedeco.javacpp.maxbytes=(\\d+) .*maxphysicalbytes=\\1");
  }

  @Test
  void keepsThreadsToTasksAndFreedMemoryForThem() {
    SparkConf conf = prepared(Map.of("spark.master", "yarn"));

    assertThat(conf.get("spark.executorEnv.OMP_NUM_THREADS")).isEqualTo("1");
    assertThat(conf.get("spark.executorEnv.OPENBLAS_NUM_THREADS")).isEqualTo("1");
    assertThat(conf.get("spark.executorEnv.GLIBC_TUNABLES")).contains("glibc.malloc.arena_max=1");
  }

  @Test
  void makesTheHeapResidentFromTheStart() {
    SparkConf conf = prepared(Map.of("spark.master", "yarn", "spark.executor.memory", "2g"));
    assertThat(conf.get("spark.executor.defaultJavaOptions"))
        .isEqualTo("-Xms2048m -XX:+AlwaysPreTouch -XX:+UseParallelGC -XX:NewRatio=1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:+UseG1GC",
        "-XX:+UseZGC -Dx=y",
        "-Xms1g",
        "-Xmn200m",
        "-XX:-AlwaysPreTouch",
        "-XX:InitialHeapSize=1g",
        "-XX:NewSize=1g",
        "-XX:MaxNewSize=1g",
        "-XX:NewRatio=3",
      })
  void leavesAHeapAloneThatTheUserHasSetUp(String options) {
    for (String key : List.of(OPTIONS, "spark.executor.defaultJavaOptions")) {
      SparkConf conf = prepared(Map.of("spark.master", "yarn", key, options));
      assertThat(conf.get("spark.executor.defaultJavaOptions", ""))
          .as(key)
          .doesNotContain("UseParallelGC");
    }
  }

  @Test
  void changesNothingThatIsSet() {
    Map<String, String> given =
        Map.of(
            "spark.master",
            "yarn",
            OPTIONS,
            "-Xlog:gc -Dorg.bytedeco.javacpp.cachedir=/natives",
            "spark.executor.defaultJavaOptions",
            "-XX:+UseG1GC -Dorg.bytedeco.javacpp.maxBytes=1g"
                + " -Dorg.bytedeco.javacpp.maxphysicalbytes=2g",
            "spark.executorEnv.OMP_NUM_THREADS",
            "3",
            "spark.executorEnv.OPENBLAS_NUM_THREADS",
            "4",
            "spark.executorEnv.GLIBC_TUNABLES",
            "glibc.malloc.arena_max=2");
    SparkConf conf = prepared(given);

    given.forEach((key, value) -> assertThat(conf.get(key)).as(key).isEqualTo(value));
  }

  @ParameterizedTest(name = "{0}, heap {1}, overhead {2}, factor {3}, off-heap {4}: {5} MiB")
  @CsvSource({
    "yarn,             12g,    ,    ,    , 13516", // a tenth of the heap beside it
    "k8s://host,       1g,     ,    ,    , 1408", // at least 384 MiB
    "yarn,             10g, 6g,  0.9,    , 16384", // the overhead wins over its factor
    "yarn,             10g, 512,    ,    , 10752", // MiB without a unit
    "yarn,             10g,    , 0.5,    , 15360",
    "k8s://host,       10g,    , 0.5,  2g, 17408",
    "spark://host,     10g,    , 0.5,    , 15360",
  })
  void reckonsTheContainerAsSparkDoes(
      String master, String heap, String overhead, String factor, String offHeap, long container) {
    SparkConf conf = conf(Map.of("spark.master", master, "spark.executor.memory", heap));
    set(conf, "spark.executor.memoryOverhead", overhead);
    set(conf, "spark.executor.memoryOverheadFactor", factor);
    set(conf, "spark.memory.offHeap.size", offHeap);
    conf.set("spark.memory.offHeap.enabled", String.valueOf(offHeap != null));

    long reserve = Math.max(container * MEBI / 20, 256 * MEBI);
    assertThat(MemoryLimits.ofExecutor(conf)).isEqualTo(container * MEBI - reserve);
  }

  @Test
  void takesTheLimitThatTheExecutorsOptionsName() {
    SparkConf conf =
        conf(
            Map.of(
                "spark.master",
                "yarn",
                OPTIONS,
                "-Dx=y -D%s=50m -Dz".formatted(Natives.MAX_PHYSICAL_BYTES)));
    assertThat(MemoryLimits.ofExecutor(conf)).isEqualTo(50 * MEBI);
  }

  @Test
  void findsTheSmallestContainerForAProcess() {
    for (long bytes : new long[] {1, 300 * MEBI, 1 << 30, 5L << 30, 100L << 30}) {
      long container = MemoryLimits.containerFor(bytes);
      SparkConf conf = conf(Map.of("spark.master", "yarn", "spark.executor.memory", "1m"));
      conf.set("spark.executor.memoryOverhead", container / MEBI - 1 + "m");
      assertThat(MemoryLimits.ofExecutor(conf)).isBetween(bytes, bytes + 2 * MEBI);
    }
  }

  @ParameterizedTest
  @CsvSource({"spark://host", "'local-cluster[2,1,1024]'", "local"})
  void takesFourTimesTheHeapWhereNobodySizesAContainer(String master) {
    SparkConf conf = conf(Map.of("spark.master", master, "spark.executor.memory", "4g"));
    assertThat(MemoryLimits.ofExecutor(conf)).isEqualTo(16384 * MEBI);
  }

  @Test
  void leavesSomeOfTheMachineToTheRest() {
    long total =
        ((com.sun.management.OperatingSystemMXBean)
                java.lang.management.ManagementFactory.getOperatingSystemMXBean())
            .getTotalMemorySize();
    assertThat(MemoryLimits.here()).isBetween(total * 3 / 4, total - total / 20);
  }

  private static long number(String option) {
    return Long.parseLong(option.substring(option.indexOf('=') + 1));
  }

  private static void set(SparkConf conf, String key, String value) {
    if (value != null) {
      conf.set(key, value);
    }
  }

  private static SparkConf prepared(Map<String, String> settings) {
    SparkConf conf = conf(settings);
    Session.prepareExecutors(conf);
    return conf;
  }

  private static SparkConf conf(Map<String, String> settings) {
    SparkConf conf = new SparkConf(false);
    settings.forEach(conf::set);
    return conf;
  }
}
