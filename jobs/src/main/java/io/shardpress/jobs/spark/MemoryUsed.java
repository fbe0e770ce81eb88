package io.shardpress.jobs.spark;

import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * How large an application's processes became, by what their tasks report, beside what was planned.
 * Any thread may report.
 */
public final class MemoryUsed {
  private static final String DRIVER = "driver";

  private final SortedMap<String, Process> processes = new TreeMap<>();

  /**
   * One process.
   *
   * @param plannedBytes what it would be with its whole heap and what its tasks were promised
   * @param limitBytes what it may become
   * @param peakResidentBytes the most that was resident; absent where the system does not say
   */
  @SuppressWarnings("JavaLangClash") // an operating system's, as in the report
  public record Process(long plannedBytes, long limitBytes, Optional<Long> peakResidentBytes) {}

  /** Adds what this process, the driver, is up to now. */
  public void reportDriver() {
    report(ProcessMemory.now(DRIVER, 0));
  }

  synchronized void report(ProcessMemory memory) {
    Optional<Long> peak =
        memory.peakBytes() == 0 ? Optional.empty() : Optional.of(memory.peakBytes());
    processes.merge(
        memory.executor(),
        new Process(memory.plannedBytes(), memory.limitBytes(), peak),
        MemoryUsed::later);
  }

  /** Reports of one process may arrive out of order; both numbers only grow. */
  private static Process later(Process a, Process b) {
    return new Process(
        Math.max(a.plannedBytes(), b.plannedBytes()),
        a.limitBytes(),
        Stream.of(a, b)
            .flatMap(process -> process.peakResidentBytes().stream())
            .max(Comparator.naturalOrder()));
  }

  /** By Spark's name for the process: a number for an executor, {@code driver}. */
  public synchronized Map<String, Process> processes() {
    return new TreeMap<>(processes);
  }
}
