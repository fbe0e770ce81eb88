package io.shardpress.jobs.spark;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkEnv;

/**
 * The memory of a process that runs tasks.
 *
 * @param executor Spark's name for it
 * @param plannedBytes what it would be with its whole heap and what its tasks were promised
 * @param limitBytes what it may become
 * @param peakBytes the most that was resident so far; 0 where the system does not say
 */
record ProcessMemory(String executor, long plannedBytes, long limitBytes, long peakBytes)
    implements Serializable {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String PEAK = "VmHWM:";

  /**
   * Of this process, which runs a task, up to now.
   *
   * @param computed whether the task has computed with kernels
   */
  static ProcessMemory now(boolean computed) {
    return now(SparkEnv.get().executorId(), computed ? MemoryBudget.KERNEL_BYTES : 0);
  }

  static ProcessMemory now(String executor, long kernelBytes) {
    MemoryBudget budget = MemoryBudget.here();
    long idle = budget.heapBytes() + MemoryBudget.JAVA_BYTES + kernelBytes;
    return new ProcessMemory(
        executor, idle + ExecutorMemory.here().peakBytes(), budget.limitBytes(), peak(STATUS));
  }

  /** In {@code status} as Linux writes it, in kB. */
  static long peak(Path status) {
    try {
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith(PEAK))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0; // no such system
    }
  }
}
