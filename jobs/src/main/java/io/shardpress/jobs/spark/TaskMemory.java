package io.shardpress.jobs.spark;

import java.io.Serializable;
import java.util.Optional;

/**
 * What a task needs at its peak beside the idle process.
 *
 * @param ownBytes arrays outside the heap that are its own
 * @param heapBytes of the Java heap
 * @param shared arrays outside the heap that it uses together with other tasks of its process
 */
public record TaskMemory(long ownBytes, long heapBytes, Optional<Shared> shared)
    implements Serializable {

  /** Too little to be counted. */
  public static final TaskMemory NONE = new TaskMemory(0, 0, Optional.empty());

  /**
   * What several tasks of one process use together, such as the factor of a Gram.
   *
   * @param key equal for tasks that share it; never that of another run in the same process
   */
  public record Shared(String key, long bytes) implements Serializable {
    public Shared {
      requireBytes(bytes);
    }
  }

  public TaskMemory {
    requireBytes(ownBytes);
    requireBytes(heapBytes);
  }

  /** Of a task that shares nothing. */
  public static TaskMemory of(long ownBytes, long heapBytes) {
    return new TaskMemory(ownBytes, heapBytes, Optional.empty());
  }

  public long sharedBytes() {
    return shared.map(Shared::bytes).orElse(0L);
  }

  /** Outside the heap, when it runs alone. */
  public long nativeBytes() {
    return ownBytes + sharedBytes();
  }

  /** Enough for either of two tasks that share nothing. */
  public TaskMemory max(TaskMemory other) {
    return of(Math.max(nativeBytes(), other.nativeBytes()), Math.max(heapBytes, other.heapBytes));
  }

  private static void requireBytes(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("Memory of %d bytes".formatted(bytes));
    }
  }

  private Object writeReplace() {
    return new Wire(
        ownBytes,
        heapBytes,
        shared.map(Shared::key).orElse(""),
        shared.map(Shared::bytes).orElse(-1L));
  }

  /** What travels; {@link Optional} does not serialize. */
  private record Wire(long ownBytes, long heapBytes, String key, long sharedBytes)
      implements Serializable {
    private Object readResolve() {
      Optional<Shared> shared =
          sharedBytes < 0 ? Optional.empty() : Optional.of(new Shared(key, sharedBytes));
      return new TaskMemory(ownBytes, heapBytes, shared);
    }
  }
}
