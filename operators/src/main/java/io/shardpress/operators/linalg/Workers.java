package io.shardpress.operators.linalg;

import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * The threads that the current task may compute on: its own, unless it was started with {@link #on}
 * or {@link SharedCores#run}. What the parts of a computation are never depends on the number of
 * threads, so the bits of a result do not either.
 */
public final class Workers {
  private static final Workers ALONE = new Workers(0, Optional.empty());
  private static final ThreadLocal<Workers> CURRENT = ThreadLocal.withInitial(() -> ALONE);

  private final int helpers;
  private final Optional<SharedCores> cores;

  private Workers(int helpers, Optional<SharedCores> cores) {
    this.helpers = helpers;
    this.cores = cores;
  }

  /** Runs {@code work} on the calling thread with {@code threads - 1} helpers for its parts. */
  public static <T> T on(int threads, Supplier<T> work) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads: at least one is needed");
    }
    return SharedCores.of(threads).run(threads, work);
  }

  /** Runs {@code work} on so many cores that it holds, and on others while they are free. */
  static <T> T on(int held, SharedCores cores, Supplier<T> work) {
    return within(new Workers(held - 1, Optional.of(cores)), work);
  }

  /** Runs what must not start parallel parts of its own: the threads are taken. */
  static void alone(Runnable work) {
    within(
        ALONE,
        () -> {
          work.run();
          return null;
        });
  }

  private static <T> T within(Workers workers, Supplier<T> work) {
    Workers before = CURRENT.get();
    CURRENT.set(workers);
    try {
      return work.get();
    } finally {
      CURRENT.set(before);
    }
  }

  /**
   * Runs all parts {@code 0 … count − 1}, each once, in no fixed order, and returns when all are
   * done. The first exception of a part is thrown here once all running parts have ended; parts not
   * yet begun are then left out.
   */
  public static void forEach(int count, IntConsumer part) {
    Workers workers = CURRENT.get();
    if (count < 2 || workers.cores.isEmpty()) {
      for (int i = 0; i < count; i++) {
        part.accept(i);
      }
    } else {
      new Parts(count, part, workers.cores.get()).run(workers.helpers);
    }
  }
}
