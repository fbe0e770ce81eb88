package io.shardpress.operators.linalg;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * The cores of a process, which its tasks share: a task holds those that were set aside for it, and
 * the parallel parts of others may run on a core that no task holds. A task that begins waits for
 * the part that runs on its core, so that there are never more threads at work than cores.
 */
public final class SharedCores {
  private static final Map<Integer, SharedCores> OF_PROCESS = new ConcurrentHashMap<>();

  private static final long KEPT_SECONDS = 10;

  private final int count;
  private final Semaphore free;

  /** One thread fewer than cores: whoever has helpers is at work, too. */
  private final ExecutorService helpers;

  private SharedCores(int count) {
    this.count = count;
    this.free = new Semaphore(count, true);
    int threads = Math.max(1, count - 1);
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads,
            threads,
            KEPT_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            SharedCores::thread);
    pool.allowCoreThreadTimeOut(true);
    this.helpers = pool;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "shardpress-worker");
    thread.setDaemon(true);
    return thread;
  }

  /** So many cores that nobody else knows of. */
  public static SharedCores of(int count) {
    return new SharedCores(count);
  }

  /** The cores of this process, which are so many. */
  public static SharedCores ofProcess(int count) {
    return OF_PROCESS.computeIfAbsent(count, SharedCores::new);
  }

  /** Runs a task on the calling thread, with so many cores for it alone, that thread's included. */
  public <T> T run(int threads, Supplier<T> task) {
    int held = Math.min(threads, count);
    free.acquireUninterruptibly(held);
    try {
      return Workers.on(held, this, task);
    } finally {
      free.release(held);
    }
  }

  /** Where helpers of those who hold cores, or have borrowed them, run. */
  ExecutorService helpers() {
    return helpers;
  }

  /** Takes a core that nobody holds or waits for, if there is one. */
  boolean borrow() {
    return !isWaitedFor() && free.tryAcquire();
  }

  /** Whether a task waits for a core: who has borrowed one then gives it back. */
  boolean isWaitedFor() {
    return free.hasQueuedThreads();
  }

  void giveBack() {
    free.release();
  }
}
