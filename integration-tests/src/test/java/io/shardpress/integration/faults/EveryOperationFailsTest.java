package io.shardpress.integration.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.integration.Cli;
import io.shardpress.integration.Folders;
import io.shardpress.integration.faults.Fault.Effect;
import io.shardpress.integration.faults.TinyRun.Way;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An operation of storage fails, whichever: the run ends with a typed error and has published
 * nothing, or has published exactly what it publishes when nothing fails; and the same command,
 * given again, ends complete.
 */
class EveryOperationFailsTest {
  /** One task at a time, so that the operation of a number is the same in every run. */
  private static final String ONE_CORE = "spark.master = \"local[1,2]\"\n";

  private static final long SEED = 20260711;
  private static final int INPUT = 2;
  private static final int ENVIRONMENT = 3;
  private static final int DESTINATION = 5;

  @TempDir private Path folder;
  private final Faults faults = Faults.named("every-operation");
  private TinyRun run;
  private Destination output;

  @BeforeEach
  void prepare() {
    faults.clear();
    run = TinyRun.in(folder, SEED);
    output = new Destination(run.output());
  }

  @Test
  void each_in_turn() {
    Clean clean = clean(Way.PLAIN);
    Map<Integer, Integer> codes = new TreeMap<>();
    for (int k = 1; k <= clean.touched.size(); k++) {
      codes.merge(strike(clean, Fault.of(Effect.FAIL).at(k)), 1, Integer::sum);
    }

    System.out.printf("%d operations, exit codes %s%n", clean.touched.size(), codes);
    assertThat(codes)
        .as("met by another attempt, or the end of the run")
        .containsKeys(0, ENVIRONMENT);
  }

  /** One in eleven, each time others: connections break, rights are lost, answers too. */
  @ParameterizedTest
  @EnumSource(names = {"RESET", "DENY", "LOSE_ANSWER"})
  void whatever_the_failure_is(Effect effect) {
    Clean clean = clean(Way.PLAIN);
    for (int k = 1 + effect.name().length(); k <= clean.touched.size(); k += 11) {
      strike(clean, Fault.of(effect).at(k));
    }
  }

  @Test
  void reads_that_end_early() {
    Clean clean = clean(Way.PLAIN);
    long reads = clean.touched.stream().filter(t -> t.operation() == Operation.READ).count();
    for (int k = 1; k <= reads; k += 2) {
      strike(clean, Fault.of(Effect.TRUNCATE).on(Operation.READ).at(k));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ONE_PASS", "SEQUENTIAL"})
  void in_a_run_with_calibration_and_evaluation(Way way) {
    Clean clean = clean(way);
    int stride = clean.touched.size() / 6;
    int first = 1 + new SplittableRandom(SEED).nextInt(stride);
    System.out.printf("seed %d: every %dth operation from %d on%n", SEED, stride, first);
    for (int k = first; k <= clean.touched.size(); k += stride) {
      strike(clean, Fault.of(Effect.FAIL).at(k));
    }
  }

  /** The run cannot even take back what it has written. */
  @Test
  void storage_that_goes_away_for_good() {
    Clean clean = clean(Way.PLAIN);
    for (int k = 3; k <= clean.touched.size(); k += 11) {
      begin(Fault.of(Effect.FAIL).at(k).times(Long.MAX_VALUE));
      Cli.Result cut = Cli.run("compress", clean.recipe);

      if (cut.code() != 0) { // at the very end there is nothing left that could not be left
        requireTyped(cut);
      }
      if (!output.requireWholeOrNoCheckpoint()) {
        faults.clear();
        Cli.run("compress", clean.recipe).succeeded();
      }
      assertThat(output.requireWhole().published()).as(cut.toString()).isEqualTo(clean.published);
    }
  }

  @Test
  void a_disk_that_is_full() {
    Clean clean = clean(Way.RTN);
    long needed =
        Folders.files(run.output()).stream()
            .mapToLong(name -> Folders.bytes(run.output().resolve(name)).length)
            .sum();
    for (int tenths : new int[] {0, 4, 8}) {
      begin();
      faults.quota(needed * tenths / 10);
      Cli.Result full = Cli.run("compress", clean.recipe);

      assertThat(full.code()).as(full.toString()).isEqualTo(DESTINATION);
      assertThat(full.err()).contains("No space left on device", "free space");
      assertThat(output.requireWholeOrNoCheckpoint()).isFalse();
      faults.clear();
      Cli.run("compress", clean.recipe).succeeded();
      assertThat(output.requireComplete().published()).isEqualTo(clean.published);
    }
  }

  /** A run that nothing befalls. */
  private record Clean(String recipe, Map<String, String> published, List<Faults.Touch> touched) {}

  private Clean clean(Way way) {
    String recipe = run.recipe(way, ONE_CORE, faults::location);
    begin();
    Cli.run("compress", recipe).succeeded();
    return new Clean(recipe, output.requireComplete().published(), faults.touched());
  }

  private void begin(Fault... befalling) {
    Folders.deleteAll(run.output());
    faults.clear().inject(befalling);
  }

  /** Returns the exit code of the run that the fault befell. */
  private int strike(Clean clean, Fault fault) {
    begin(fault);
    Cli.Result struck = Cli.run("compress", clean.recipe);
    String what = fault.line() + "\n" + struck;
    if (struck.code() == 0) {
      Destination whole =
          struck.out().contains("could not be removed")
              ? output.requireWhole()
              : output.requireComplete();
      assertThat(whole.published()).as(what).isEqualTo(clean.published);
      return 0;
    }
    requireTyped(struck);
    output.requireWithdrawn();
    faults.clear();
    Cli.run("compress", clean.recipe).succeeded();
    assertThat(output.requireComplete().published()).as(what).isEqualTo(clean.published);
    return struck.code();
  }

  private static void requireTyped(Cli.Result result) {
    assertThat(result.code()).as(result.toString()).isIn(INPUT, ENVIRONMENT, DESTINATION);
    assertThat(result.err())
        .as(result.toString())
        .containsPattern("(?m)^shardpress: Cannot|^shardpress: .* ended before")
        .doesNotContain("internal error");
  }
}
