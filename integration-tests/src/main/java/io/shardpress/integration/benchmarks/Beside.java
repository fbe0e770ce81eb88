package io.shardpress.integration.benchmarks;

import io.shardpress.operators.model.Precision;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Carries what was measured beside an iteration to JMH's results. A benchmark method {@linkplain
 * #of fills} it. Public for JMH, whose counters these methods are.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class Beside {
  private Round round;

  /**
   * What was measured before an iteration.
   *
   * @param work per call of the benchmark method
   * @param precision of the yardstick
   * @param allCores the yardstick on all cores in FLOP/s; 0 when the benchmark keeps to one
   * @param oneCore the yardstick on one core in FLOP/s
   * @param workAlone of the pass on one core
   * @param secondsAlone of the pass on one core; 0 when there was none
   */
  record Round(
      Work work,
      Precision precision,
      double allCores,
      double oneCore,
      Work workAlone,
      double secondsAlone) {}

  final void of(Measured benchmark) {
    round = benchmark.round();
  }

  public double flops() {
    return round.work().unit() == Work.Unit.FLOP ? round.work().amount() : 0;
  }

  public double bytes() {
    return round.work().unit() == Work.Unit.BYTE ? round.work().amount() : 0;
  }

  public double yardstickBf16() {
    return round.precision() == Precision.BF16 ? 1 : 0;
  }

  public double yardstickAll() {
    return round.allCores();
  }

  public double yardstickOne() {
    return round.oneCore();
  }

  public double workAlone() {
    return round.workAlone().amount();
  }

  public double secondsAlone() {
    return round.secondsAlone();
  }
}
