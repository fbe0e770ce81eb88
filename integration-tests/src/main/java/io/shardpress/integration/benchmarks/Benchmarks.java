package io.shardpress.integration.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks and prints their table after each; a run of all of them makes {@code
 * integration-tests/BENCHMARKS.md} anew.
 */
public final class Benchmarks {
  private static final List<Class<? extends Measured>> KERNELS_TO_LAYERS =
      List.of(
          ProductBenchmark.class,
          UpdateBenchmark.class,
          FactorBenchmark.class,
          RowBenchmark.class,
          GramBenchmark.class,
          GptqBenchmark.class,
          SparseGptBenchmark.class,
          RtnBenchmark.class,
          PruneBenchmark.class,
          BlockBenchmark.class);

  /** A run end to end takes minutes where a benchmark takes seconds. */
  private static final int ROUNDS_END_TO_END = 3;

  private static final String HEAD =
      """
      # Benchmarks

      %s
      A `yardstick` is the machine's own rate at square products of 2048, each core its own, measured before every \
      round on as many cores as the benchmark uses. `ratio` is useful work per second over the yardstick: the median \
      of the rounds, with the least and the most, which lie far apart where the machine was busy otherwise. Ratios can \
      be compared between machines and between days, seconds cannot. `gain` is what all cores do over what one does, \
      taken one after the other. Products count 2mnk operations, a Gram half of that, a GPTQ layer 2/3·in³ + out·in², \
      a block its linears and the attention that is causal. Made by

      ```
      mvn -Pquick,benchmarks verify -DskipTests
      ```

      """;

  private Benchmarks() {}

  /** Takes the repository, an expression for the names of benchmarks, and the number of rounds. */
  public static void main(String[] arguments) throws IOException, RunnerException {
    Path home = Path.of(arguments[0]).toAbsolutePath().normalize();
    Pattern include = Pattern.compile(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    StringBuilder report = new StringBuilder(HEAD.formatted(Machine.description()));
    List<Measurement> measured = new ArrayList<>();
    for (Class<? extends Measured> benchmark : KERNELS_TO_LAYERS) {
      if (include.matcher(benchmark.getSimpleName()).find()) {
        new Runner(options(benchmark, rounds))
            .run().stream().map(JmhResults::of).forEach(measured::addAll);
        System.out.println(Table.of(measured));
      }
    }
    report.append(Table.of(measured));
    if (include.matcher(EndToEnd.class.getSimpleName()).find()) {
      String table =
          new EndToEnd(home, home.resolve("integration-tests/target/benchmarks"))
              .table(Math.min(rounds, ROUNDS_END_TO_END));
      report.append("\n## End to end\n\n").append(EndToEnd.INTRODUCTION).append(table);
    }
    System.out.println(report);
    if (include.pattern().equals(".*")) {
      Files.writeString(home.resolve("integration-tests/BENCHMARKS.md"), report);
    }
  }

  private static Options options(Class<? extends Measured> benchmark, int rounds) {
    return new OptionsBuilder()
        .include(Pattern.quote(benchmark.getName()) + "\\.")
        .measurementIterations(rounds)
        .shouldFailOnError(true)
        .build();
  }
}
