package io.shardpress.integration.benchmarks;

import io.shardpress.operators.model.Precision;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A benchmark that has the machine measured before each of its iterations: first the yardstick,
 * then the same work on one core where there is such a thing, then the iteration itself. A shared
 * machine changes its speed within minutes; what lies seconds apart can be compared.
 *
 * <p>JMH calls the benchmark method on one thread, which may employ the others. Public for JMH.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 1)
public abstract class Measured {
  private static final double ONE_CORE_SECONDS = 0.4;

  private Cores cores;
  private Yardstick yardstick;
  private Beside.Round round;

  /** The type of the yardstick's products. */
  abstract Precision precision();

  /** What the benchmark method does per call. */
  abstract Work work();

  /** The work of {@link #alone}; nothing when the benchmark itself keeps to one core. */
  Work workAlone() {
    return Work.flops(0);
  }

  /** One pass on one core. */
  void alone() {}

  /** Seconds of {@link #alone}. */
  double secondsAlone() {
    return Timer.seconds(ONE_CORE_SECONDS, this::alone);
  }

  /** Makes the inputs. */
  abstract void prepare();

  /** Closes the inputs. */
  abstract void release();

  final Cores cores() {
    return cores;
  }

  /** What was measured before the running iteration. */
  final Beside.Round round() {
    return round;
  }

  @Setup(Level.Trial)
  public final void begin() {
    cores = new Cores();
    prepare();
    yardstick = new Yardstick(precision(), cores);
  }

  @Setup(Level.Iteration)
  public final void measureBeside() {
    boolean both = workAlone().amount() > 0;
    round =
        new Beside.Round(
            work(),
            precision(),
            both ? yardstick.allCores() : 0,
            yardstick.oneCore(),
            workAlone(),
            both ? secondsAlone() : 0);
  }

  @TearDown(Level.Trial)
  public final void end() {
    yardstick.close();
    release();
    cores.close();
  }
}
