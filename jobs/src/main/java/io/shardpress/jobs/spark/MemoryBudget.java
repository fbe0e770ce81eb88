package io.shardpress.jobs.spark;

import io.shardpress.common.error.EnvironmentException;
import io.shardpress.operators.linalg.Natives;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.network.util.JavaUtils;

/**
 * What a process that runs tasks has for them: as much as it may grow to, less its heap and what
 * Java and libraries take.
 *
 * @param host which process it is
 * @param limitBytes what the process may become
 * @param heapBytes what its heap may become
 * @param slots tasks that Spark gives it at a time; 0 where Spark does not say
 */
public record MemoryBudget(Host host, long limitBytes, long heapBytes, int slots) {
  private static final long MEBI = MemoryLimits.MEBI;
  private static final long GIBI = 1 << 30;

  /**
   * What a process takes beside its heap and the arrays of its tasks: classes 65 MiB, the
   * collector's tables 40, compiled code and what compiles it 50, threads and Spark's buffers 40,
   * pages of the JVM's own files 30.
   */
  static final long JAVA_BYTES = 224 * MEBI;

  /** What a process takes beside that once it computes: kernels, and freed arrays kept for more. */
  static final long KERNEL_BYTES = 192 * MEBI;

  /** Both: which tasks a process gets is not known before. */
  static final long BASE_BYTES = JAVA_BYTES + KERNEL_BYTES;

  /** Of the heap: classes' own objects, Spark's, and buffers of storage and network. */
  private static final long BASE_HEAP_BYTES = 160 * MEBI;

  /** Which process. */
  public enum Host {
    EXECUTOR("an executor"),
    THIS_PROCESS("this process");

    private final String text;

    Host(String text) {
      this.text = text;
    }
  }

  /** Of what runs the tasks of an application with these settings. */
  public static MemoryBudget of(SparkConf conf) {
    int cores = ExecutorCores.of(conf).known();
    int slots = cores / conf.getInt("spark.task.cpus", 1);
    if (ExecutorCores.isLocal(conf)) {
      MemoryBudget here = here();
      return new MemoryBudget(Host.THIS_PROCESS, here.limitBytes, here.heapBytes, slots);
    }
    return new MemoryBudget(
        Host.EXECUTOR, MemoryLimits.ofExecutor(conf), MemoryLimits.heapOfExecutor(conf), slots);
  }

  /** Of this process, by the limit that it was started with. */
  static MemoryBudget here() {
    String told = System.getProperty(Natives.MAX_PHYSICAL_BYTES);
    long limit = told == null ? MemoryLimits.here() : JavaUtils.byteStringAsBytes(told);
    return new MemoryBudget(Host.THIS_PROCESS, limit, MemoryLimits.heapHere(), 0);
  }

  /** Outside the heap, for the arrays of tasks. */
  public long taskBytes() {
    return Math.max(0, limitBytes - heapBytes - BASE_BYTES);
  }

  /** Of the heap; a quarter is the collector's, which cannot fill all of it. */
  public long taskHeapBytes() {
    return Math.max(0, heapBytes - BASE_HEAP_BYTES) * 3 / 4;
  }

  /** How many such tasks run at a time: as many as Spark gives and memory takes, at least one. */
  public int tasksAtOnce(TaskMemory need) {
    int most = slots == 0 ? Integer.MAX_VALUE : slots;
    return (int)
        Math.max(
            1,
            Math.min(
                most,
                Math.min(
                    times(taskBytes() - need.sharedBytes(), need.ownBytes()),
                    times(taskHeapBytes(), need.heapBytes()))));
  }

  private static long times(long room, long need) {
    return need == 0 ? Integer.MAX_VALUE : Math.max(0, room) / need;
  }

  /** What the process will become with so many of these tasks, the whole heap included. */
  public long plannedBytes(TaskMemory need) {
    int tasks = slots == 0 ? 1 : tasksAtOnce(need);
    return heapBytes + BASE_BYTES + tasks * need.ownBytes() + need.sharedBytes();
  }

  /**
   * Why a task cannot run for its arrays, not even alone, and the settings to change.
   *
   * @param what the layer or stage that it works on
   */
  public Optional<String> tooSmall(String what, TaskMemory need) {
    if (need.nativeBytes() <= taskBytes()) {
      return Optional.empty();
    }
    String shared =
        need.shared()
            .map(both -> " (%s of it in common with its other tasks)".formatted(text(both.bytes())))
            .orElse("");
    return Optional.of(
        "%s needs %s beside the heap%s, and %s has %s: it may become %s, less %s of heap and %s of Java and libraries. %s"
            .formatted(
                what,
                text(need.nativeBytes()),
                shared,
                host.text,
                text(taskBytes()),
                text(limitBytes),
                text(heapBytes),
                text(BASE_BYTES),
                moreMemory(need.nativeBytes())));
  }

  /** The same for the heap. */
  public Optional<String> heapTooSmall(String what, TaskMemory need) {
    if (need.heapBytes() <= taskHeapBytes()) {
      return Optional.empty();
    }
    return Optional.of(
        "%s needs %s of heap, and %s has %s for tasks. %s"
            .formatted(
                what,
                text(need.heapBytes()),
                host.text,
                text(taskHeapBytes()),
                moreHeap(need.heapBytes())));
  }

  /**
   * @throws EnvironmentException with the numbers and the settings to change, when such a task does
   *     not fit, not even alone
   */
  public void require(String what, TaskMemory need) {
    tooSmall(what, need)
        .or(() -> heapTooSmall(what, need))
        .ifPresent(
            why -> {
              throw new EnvironmentException(why);
            });
  }

  /** The settings that make room for {@code bytes} outside the heap. */
  String moreMemory(long bytes) {
    long container = MemoryLimits.containerFor(heapBytes + BASE_BYTES + bytes);
    if (host == Host.EXECUTOR) {
      return "Give executors more: spark.executor.memoryOverhead=%dg."
          .formatted(gibibytes(container - heapBytes));
    }
    return "Run on a machine or in a container of %d GiB, give less to the heap (SHARDPRESS_JAVA_OPTS=-Xmx1g), or run on a cluster."
        .formatted(gibibytes(container));
  }

  private String moreHeap(long bytes) {
    long heap = gibibytes(bytes * 4 / 3 + BASE_HEAP_BYTES);
    return host == Host.EXECUTOR
        ? "Give executors more: spark.executor.memory=%dg.".formatted(heap)
        : "Give it more: SHARDPRESS_JAVA_OPTS=-Xmx%dg, or --driver-memory %dg."
            .formatted(heap, heap);
  }

  /** So many, rounded up. */
  private static long gibibytes(long bytes) {
    return (bytes + GIBI - 1) / GIBI;
  }

  static String text(long bytes) {
    return bytes < GIBI
        ? "%d MiB".formatted(bytes / MEBI)
        : String.format(Locale.ROOT, "%.1f GiB", (double) bytes / GIBI);
  }
}
