package io.shardpress.integration.processes;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Cli;
import io.shardpress.integration.faults.Destination;
import io.shardpress.integration.faults.Fault;
import io.shardpress.integration.faults.Fault.Effect;
import io.shardpress.integration.faults.Faults;
import io.shardpress.integration.faults.Operation;
import io.shardpress.integration.faults.TinyRun;
import io.shardpress.integration.faults.TinyRun.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two executors in processes of their own publish what one process publishes, whatever happens. */
class ExecutorsTest {
  private static final long SEED = 1;

  @TempDir private static Path servers;
  private static Cluster cluster;

  @TempDir private Path folder;
  private TinyRun run;
  private Path flags;

  @BeforeAll
  static void start() {
    cluster = Cluster.start(servers);
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @BeforeEach
  void prepare() throws IOException {
    run = TinyRun.in(folder, SEED);
    flags = Files.createDirectory(folder.resolve("flags"));
  }

  /** The executor that is the first to do this is gone the moment it does it. */
  @Test
  void one_is_killed_in_every_stage() throws IOException {
    Map<String, Fault> kills = new LinkedHashMap<>();
    kills.put("tokenize", kill(Operation.READ, "/tokens\\.jsonl$"));
    kills.put("calibrate", kill(Operation.CREATE, "/partials/"));
    kills.put("fold", kill(Operation.CREATE, "/statistics/"));
    kills.put("compress", kill(Operation.WRITE, "/layers/"));
    kills.put("assemble", kill(Operation.WRITE, "/model-00001-of-"));
    kills.put("evaluate", kill(Operation.OPEN, "/output/model-00001-of-"));

    compress(List.of(), kills);

    assertThat(flags.toFile().list())
        .as("stages in which an executor was killed")
        .containsExactlyInAnyOrderElementsOf(kills.keySet());
  }

  private static Fault kill(Operation operation, String path) {
    return Fault.of(Effect.HALT).on(operation).in(path).onExecutors();
  }

  /** Copies of tasks that are slow at first are started, and win. */
  @Test
  void slow_tasks_are_run_twice() throws IOException {
    Map<String, Fault> delays = new LinkedHashMap<>();
    for (String slow :
        List.of(
            "/partials/.*chunk-00001",
            "/layers/.*0.*q_proj",
            "/layers/.*1.*down_proj",
            "/output/model-00002-of-")) {
      delays.put(
          "slow-" + delays.size(),
          Fault.of(Effect.SLOW)
              .on(Operation.CREATE, Operation.OPEN)
              .in(slow)
              .taking(Duration.ofSeconds(8))
              .onExecutors());
    }
    Path events = Files.createDirectory(folder.resolve("events"));

    compress(
        List.of(
            "spark.speculation=true",
            "spark.speculation.multiplier=1",
            "spark.speculation.quantile=0.01",
            "spark.speculation.interval=20ms",
            "spark.eventLog.enabled=true",
            "spark.eventLog.compress=false",
            "spark.eventLog.rolling.enabled=false",
            "spark.eventLog.dir=" + events.toUri()),
        delays);

    assertThat(flags).isNotEmptyDirectory();
    long copies;
    try (Stream<Path> logs = Files.walk(events)) {
      List<String> lines = new ArrayList<>();
      for (Path log : logs.filter(Files::isRegularFile).toList()) {
        lines.addAll(Files.readAllLines(log));
      }
      copies =
          lines.stream()
              .filter(line -> line.contains("\"SparkListenerTaskStart\""))
              .filter(line -> line.contains("\"Speculative\":true"))
              .count();
    }
    System.out.printf("%d tasks were started a second time%n", copies);
    assertThat(copies).as("tasks that were started a second time").isPositive();
  }

  /** Compresses on executors that the faults befall once each, and compares with one process. */
  private void compress(List<String> settings, Map<String, Fault> faults) {
    Path file = folder.resolve("faults");
    Faults.write(
        file,
        faults.entrySet().stream()
            .map(entry -> entry.getValue().once(flags.resolve(entry.getKey())))
            .toArray(Fault[]::new));
    List<String> options =
        new ArrayList<>(List.of("--master", cluster.master(), "--executor-memory", "1g"));
    List<String> all = new ArrayList<>(settings);
    all.addAll(
        List.of(
            "spark.executor.extraClassPath=" + Child.foldersOfClasses(),
            "spark.hadoop.%s=%s".formatted(Faults.FILE, file),
            // Unpacked once, for all of them.
            "spark.executor.extraJavaOptions=-Dorg.bytedeco.javacpp.cachedir=%s/.javacpp/cache"
                .formatted(System.getProperty("user.home"))));
    all.forEach(setting -> options.addAll(List.of("--conf", setting)));
    String recipe = run.recipe(Way.ONE_PASS, "", Faults.named("executors")::location);
    try (Child child = Child.submit(folder, options, "compress", recipe)) {
      child.end().withCode(0);
    }

    Destination published = new Destination(run.output()).requireComplete();
    TinyRun alone = TinyRun.in(folder.resolve("alone"), SEED);
    Cli.run("compress", alone.recipe(Way.ONE_PASS)).succeeded();
    assertThat(published.published())
        .isEqualTo(new Destination(alone.output()).requireComplete().published());
  }
}
