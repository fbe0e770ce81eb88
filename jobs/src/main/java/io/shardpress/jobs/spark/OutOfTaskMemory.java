package io.shardpress.jobs.spark;

import io.shardpress.operators.linalg.Natives;

/**
 * A task ran out of heap or native memory. The error is told, not kept as the cause: Spark kills a
 * process at an {@link OutOfMemoryError} anywhere in the chain.
 */
final class OutOfTaskMemory extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int MEBI = 20;

  /** What was too small, and which settings make it larger. */
  enum Memory {
    HEAP(
        "Give the heap more (spark.executor.memory; in local mode -Xmx in SHARDPRESS_JAVA_OPTS, or"
            + " --driver-memory), or run fewer tasks at once (spark.executor.cores; in local mode"
            + " spark.master = \"local[1]\")."),
    NATIVE(
        "Weights and Grams lie outside the heap: give executors more beside it"
            + " (spark.executor.memoryOverhead or memoryOverheadFactor; in local mode a larger"
            + " container, or a smaller -Xmx in SHARDPRESS_JAVA_OPTS), or run fewer tasks at once"
            + " (spark.executor.cores; in local mode spark.master = \"local[1]\").");

    private final String remedy;

    Memory(String remedy) {
      this.remedy = remedy;
    }

    String remedy() {
      return remedy;
    }
  }

  private final Memory memory;

  private OutOfTaskMemory(String message, Memory memory) {
    super(message);
    this.memory = memory;
  }

  static OutOfTaskMemory of(Error error, String host) {
    // JavaCPP wraps the reason, with the numbers, in an error that names only the pointer.
    String reason = String.valueOf(root(error).getMessage());
    Memory memory = isOfHeap(reason) ? Memory.HEAP : Memory.NATIVE;
    OutOfTaskMemory told =
        new OutOfTaskMemory("%s; %s".formatted(reason, sizes(host, memory)), memory);
    told.setStackTrace(error.getStackTrace());
    return told;
  }

  /** Whether a class is unusable because memory ran out as it was initialized. */
  static boolean kept(LinkageError error) {
    return String.valueOf(root(error).getMessage()).contains(OutOfMemoryError.class.getName());
  }

  static Throwable root(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root;
  }

  private static boolean isOfHeap(String reason) {
    return reason.contains("heap space")
        || reason.contains("GC overhead")
        || reason.contains("array size");
  }

  private static String sizes(String host, Memory memory) {
    long heap = Runtime.getRuntime().maxMemory() >> MEBI;
    if (memory == Memory.HEAP) {
      return "host %s, heap of at most %d MiB".formatted(host, heap);
    }
    return "host %s, process of at most %d MiB, of which the heap may take %d MiB"
        .formatted(host, Natives.memoryLimit() >> MEBI, heap);
  }

  Memory memory() {
    return memory;
  }
}
