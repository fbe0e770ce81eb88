package io.shardpress.integration.processes;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Cli;
import io.shardpress.integration.Folders;
import io.shardpress.integration.faults.Destination;
import io.shardpress.integration.faults.Fault;
import io.shardpress.integration.faults.Fault.Effect;
import io.shardpress.integration.faults.Faults;
import io.shardpress.integration.faults.TinyRun;
import io.shardpress.integration.faults.TinyRun.Way;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A process that runs alone is killed, or told to end, at points spread over all that it asks of
 * its storage; then the command is given again.
 */
class KilledDriverTest {
  private static final long SEED = 1;
  private static final int KILLED = 137;
  private static final int TERMINATED = 143;
  private static final Duration POLITE = Duration.ofSeconds(30);
  private static final Faults FAULTS = Faults.named("driver");

  @TempDir private static Path folder;
  private static TinyRun run;
  private static Destination output;
  private static String recipe;
  private static Map<String, String> published;
  private static int operations;

  @BeforeAll
  static void runUndisturbed() {
    run = TinyRun.in(folder, SEED);
    output = new Destination(run.output());
    String settings =
        """
        spark { master = "local[2,2]", hadoop.%s = "%s" }
        """
            .formatted(Faults.FILE, folder.resolve("faults"));
    Faults.write(folder.resolve("faults"));
    recipe = run.recipe(Way.ONE_PASS, settings, FAULTS::location);
    FAULTS.clear();
    Cli.run("compress", recipe).succeeded();
    operations = FAULTS.touched().size();
    published = output.requireComplete().published();
    System.out.printf("%d operations%n", operations);
  }

  @BeforeEach
  void empty() {
    Folders.deleteAll(run.output());
    FAULTS.clear();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void killed_at(int twentieth) {
    befallChild(Fault.of(Effect.HALT).at(at(twentieth)));
    try (Child child = Child.start(folder, "compress", recipe)) {
      child.end().withCode(KILLED);
    }

    completesWhenGivenAgain();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 10, 15, 19})
  void told_to_end_at(int twentieth) {
    befallChild(Fault.of(Effect.SLOW).taking(Duration.ofSeconds(3)).at(at(twentieth)));

    tellToEnd();

    completesWhenGivenAgain();
  }

  /** The storage answers in a minute, which is longer than the process is given. */
  @Test
  void told_to_end_while_storage_hangs() {
    befallChild(Fault.of(Effect.SLOW).taking(Duration.ofMinutes(1)).at(at(10)));

    tellToEnd();

    completesWhenGivenAgain();
  }

  private static void tellToEnd() {
    try (Child child = Child.start(folder, "compress", recipe)) {
      child.awaitLine(Faults.SLOW_LINE);
      long start = System.nanoTime();
      child.terminate();
      Child.Ended ended = child.end().withCode(TERMINATED);

      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(POLITE);
      assertThat(ended.err()).contains("shardpress: ").doesNotContain("internal error");
    }
  }

  /** A little before the last operation, that the number be reached with tasks in any order. */
  private static long at(int twentieth) {
    return Math.max(1, (operations - 5L) * twentieth / 20);
  }

  private static void befallChild(Fault fault) {
    Faults.write(folder.resolve("faults"), fault);
  }

  /** Nothing that was finished is done again, and what is published is the same. */
  private static void completesWhenGivenAgain() {
    if (output.requireWholeOrNoCheckpoint()) {
      return;
    }
    long finished = finishedLayers();
    Cli.run("compress", recipe).succeeded();

    assertThat(output.requireComplete().published()).isEqualTo(published);
    assertThat(output.json("run.json").path("resumed_layers").asLong())
        .as("layers that were taken from the attempt before")
        .isEqualTo(finished);
  }

  /** Marks of layers that were written to the end, which is a line break. */
  private static long finishedLayers() {
    return Folders.files(run.output()).stream()
        .filter(name -> name.matches("_staging/[^/]+/marks/.*\\.json"))
        .map(name -> Folders.bytes(run.output().resolve(name)))
        .filter(bytes -> bytes.length > 0 && bytes[bytes.length - 1] == '\n')
        .count();
  }
}
