package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.KernelChoice;
import io.shardpress.operators.linalg.Natives;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.linalg.UpperFactor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What tasks do to a whole process: each case is a process of its own. */
class TaskProcessTest {
  private static final Map<String, String> ONE_THREAD =
      Map.of("OMP_NUM_THREADS", "1", "OPENBLAS_NUM_THREADS", "1");

  /** Starts Spark on two cores and runs one task: {@code threads <task cpus>} or {@code memory}. */
  public static void main(String[] arguments) {
    Map<String, String> settings =
        Map.of(
            "spark.master", "local[2]",
            "spark.ui.enabled", "false",
            "spark.task.cpus", arguments.length > 1 ? arguments[1] : "1");
    try (Session session = Session.start(settings)) {
      Work<String> work =
          arguments[0].equals("threads")
              ? TaskProcessTest::countThreads
              : TaskProcessTest::takeAllMemory;
      System.out.println(
          session.tasks(KernelChoice.AUTO).run("the only task", List.of(work)).get(0));
    } catch (EnvironmentException e) {
      System.out.println("refused: " + e.getMessage());
    }
    System.out.println("limit " + System.getProperty(Natives.MAX_PHYSICAL_BYTES));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void theOnlyTaskComputesOnBothCoresAndLibrariesStartNoThreads(int cpus) throws Exception {
    String output = run(ONE_THREAD, List.of("-Xmx512m"), "threads", String.valueOf(cpus));
    assertThat(output).contains("busy threads 2, native threads 0");
  }

  @Test
  void threadsThatLibrariesStartWithoutBeingToldStayIdle() throws Exception {
    String output = run(Map.of(), List.of("-Xmx512m"), "threads", "1");
    assertThat(output).contains("busy threads 2, native");
    assertThat(output).as("what the process may use").contains("limit " + MemoryLimits.here());
  }

  @Test
  void arraysBeyondTheLimitEndTheJobWithTheNumbersAndTheSettings() throws Exception {
    String output =
        run(Map.of(), List.of("-Xmx512m", "-D" + Natives.MAX_PHYSICAL_BYTES + "=900m"), "memory");

    assertThat(output)
        .contains("refused: The job 'the only task' ran out of memory (")
        .contains("Physical memory usage is too high: physicalBytes (")
        .containsPattern(
            "host [^ ]+, process of at most 900 MiB, of which the heap may" + " take 512 MiB")
        .contains("spark.executor.memoryOverhead", "SHARDPRESS_JAVA_OPTS", "local[1]")
        .contains("limit 900m");
  }

  private static String takeAllMemory() {
    List<INDArray> taken = new ArrayList<>();
    try {
      while (taken.size() < 200) {
        taken.add(Floats.zeros(1024, 8192));
      }
      return "nothing refused";
    } finally {
      taken.forEach(INDArray::close);
    }
  }

  private static String countThreads() {
    compute(); // loads the libraries and compiles
    Map<Long, Long> before = ticks();
    for (int i = 0; i < 5; i++) {
      compute();
    }
    Map<Long, Long> after = ticks();
    after.replaceAll((thread, ticks) -> ticks - before.getOrDefault(thread, 0L));
    long most = after.values().stream().mapToLong(Long::longValue).max().orElseThrow();
    long busy = after.values().stream().filter(ticks -> ticks > most / 4).count();
    return "busy threads %d, native threads %d".formatted(busy, nativeThreads());
  }

  /** Products in both types and a factorization: everything that a library might spread. */
  private static void compute() {
    try (INDArray x = Floats.zeros(768, 1024);
        INDArray weight = Floats.zeros(4096, 1024);
        INDArray narrowX = BFloats.rounded(x);
        INDArray narrowWeight = BFloats.rounded(weight);
        INDArray gram = unit(1024);
        INDArray y = Products.timesTransposed(x, weight);
        INDArray narrowY = Products.timesTransposed(narrowX, narrowWeight);
        UpperFactor factor = UpperFactor.ofInverse(gram)) {
      if (y.length() != narrowY.length() || factor == null) {
        throw new IllegalStateException("not computed");
      }
    }
  }

  private static INDArray unit(int n) {
    INDArray unit = Floats.zeros(n, n);
    for (int i = 0; i < n; i++) {
      float[] row = new float[n];
      row[i] = 1;
      Floats.writeRow(unit, i, row);
    }
    return unit;
  }

  /** Processor time of every thread of the process but those that the JVM has for itself. */
  private static Map<Long, Long> ticks() {
    Map<Long, Long> ticks = new java.util.HashMap<>();
    for (MatchResult thread : threads()) {
      if (!thread.group(2).matches("(GC|G1|VM|C1|C2|Sweeper) .*")) {
        ticks.put(
            Long.parseLong(thread.group(1)),
            Long.parseLong(thread.group(3)) + Long.parseLong(thread.group(4)));
      }
    }
    return ticks;
  }

  /** A thread that a library starts bears the name of the task's thread, but Java has none such. */
  private static long nativeThreads() {
    String name = Thread.currentThread().getName().substring(0, 15);
    long known =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith(name))
            .count();
    return threads().stream().filter(thread -> thread.group(2).equals(name)).count() - known;
  }

  /** Of each thread of the process its id, name, user and system time. */
  private static List<MatchResult> threads() {
    Pattern stat = Pattern.compile("(\\d+) \\((.*)\\) \\S(?: \\S+){10} (\\d+) (\\d+) .*\\s*");
    List<MatchResult> threads = new ArrayList<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      for (Path task : tasks.toList()) {
        var matcher = stat.matcher(Files.readString(task.resolve("stat")));
        if (matcher.matches()) {
          threads.add(matcher.toMatchResult());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return threads;
  }

  private static String run(
      Map<String, String> environment, List<String> javaOptions, String... arguments)
      throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Files.exists(Path.of("/proc/self/task")), "threads are counted in Linux's /proc");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("target/shardpress.args").toAbsolutePath());
    command.add("-Dlog4j2.configurationFile=../conf/log4j2.properties");
    command.addAll(javaOptions);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(TaskProcessTest.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeAll(ONE_THREAD.keySet());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
