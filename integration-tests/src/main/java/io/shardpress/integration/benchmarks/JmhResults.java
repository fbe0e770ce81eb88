package io.shardpress.integration.benchmarks;

import io.shardpress.integration.benchmarks.Measurement.Round;
import io.shardpress.operators.model.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

/** Reads what JMH hands back: a row for all cores, and one for a single core where it was asked. */
final class JmhResults {
  private JmhResults() {}

  /**
   * One iteration: seconds per call and the counters of {@link Beside}.
   *
   * @param all the yardstick before it, on all cores
   * @param one the yardstick before it, on one core
   */
  record Iteration(
      double seconds,
      Work work,
      Precision precision,
      double all,
      double one,
      Work workAlone,
      double secondsAlone) {

    static Iteration of(IterationResult result) {
      double flops = counter(result, "flops");
      double bytes = counter(result, "bytes");
      return new Iteration(
          result.getPrimaryResult().getScore(),
          flops > 0 ? Work.flops(flops) : Work.bytes(bytes),
          counter(result, "yardstickBf16") > 0 ? Precision.BF16 : Precision.F32,
          counter(result, "yardstickAll"),
          counter(result, "yardstickOne"),
          Work.flops(counter(result, "workAlone")),
          counter(result, "secondsAlone"));
    }

    private static double counter(IterationResult result, String name) {
      return result.getSecondaryResults().get(name).getScore();
    }

    boolean onAllCores() {
      return all > 0;
    }
  }

  static List<Measurement> of(RunResult result) {
    List<Iteration> iterations =
        result.getBenchmarkResults().stream()
            .flatMap(fork -> fork.getIterationResults().stream())
            .map(Iteration::of)
            .toList();
    return of(name(result.getParams()), iterations);
  }

  static List<Measurement> of(String name, List<Iteration> iterations) {
    Iteration first = iterations.get(0);
    List<Measurement> rows = new ArrayList<>();
    if (first.onAllCores()) {
      double gain =
          Measurement.median(
              iterations.stream()
                  .mapToDouble(
                      i ->
                          i.work().amount()
                              / i.seconds()
                              / (i.workAlone().amount() / i.secondsAlone()))
                  .toArray());
      rows.add(
          new Measurement(
              name,
              Cores.count(),
              first.work(),
              first.precision(),
              rounds(iterations),
              OptionalDouble.of(gain)));
    }
    Work work = first.onAllCores() ? first.workAlone() : first.work();
    List<Round> alone =
        iterations.stream()
            .map(i -> new Round(i.onAllCores() ? i.secondsAlone() : i.seconds(), i.one()))
            .toList();
    rows.add(new Measurement(name, 1, work, first.precision(), alone, OptionalDouble.empty()));
    return rows;
  }

  /** An iteration lies between two yardsticks; the last one has no other behind it. */
  private static List<Round> rounds(List<Iteration> iterations) {
    return IntStream.range(0, iterations.size())
        .mapToObj(
            i -> {
              double before = iterations.get(i).all();
              double after = iterations.get(Math.min(i + 1, iterations.size() - 1)).all();
              return new Round(iterations.get(i).seconds(), (before + after) / 2);
            })
        .toList();
  }

  private static String name(BenchmarkParams params) {
    String[] path = params.getBenchmark().split("\\.", -1);
    String type = path[path.length - 2].replace("Benchmark", "");
    String values =
        params.getParamsKeys().stream().map(params::getParam).collect(Collectors.joining(" "));
    return "%s.%s %s".formatted(type, path[path.length - 1], values).strip();
  }
}
