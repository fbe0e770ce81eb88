package io.shardpress.operators.linalg;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * The threads that the current task may compute on: its own, unless it was started with {@link
 * #on}. What the parts of a computation are never depends on the number of threads, so the bits of
 * a result do not either.
 */
public final class Workers {
  private static final ThreadLocal<Workers> CURRENT = ThreadLocal.withInitial(Workers::alone);

  private final int helpers;
  private final ExecutorService pool;

  private Workers(int helpers, ExecutorService pool) {
    this.helpers = helpers;
    this.pool = pool;
  }

  private static Workers alone() {
    return new Workers(0, null);
  }

  /**
   * Runs {@code work} on the calling thread with {@code threads - 1} helpers for its parallel
   * parts. The helpers end with it.
   */
  public static <T> T on(int threads, Supplier<T> work) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads: at least one is needed");
    }
    if (threads == 1) {
      return within(alone(), work);
    }
    ExecutorService pool = Executors.newFixedThreadPool(threads - 1, Workers::thread);
    try {
      return within(new Workers(threads - 1, pool), work);
    } finally {
      pool.shutdownNow();
    }
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

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "shardpress-worker");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Runs all parts {@code 0 … count − 1}, each once, in no fixed order, and returns when all are
   * done. The first exception of a part is thrown here once all running parts have ended; parts not
   * yet begun are then left out.
   */
  public static void forEach(int count, IntConsumer part) {
    CURRENT.get().run(count, part);
  }

  private void run(int count, IntConsumer part) {
    int wanted = Math.min(helpers, count - 1);
    if (wanted < 1) {
      for (int i = 0; i < count; i++) {
        part.accept(i);
      }
      return;
    }
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Kernels.Scope kernels = Kernels.scope();
    Runnable share =
        () -> {
          try {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
              part.accept(i);
            }
          } catch (RuntimeException | Error e) {
            next.set(count);
            failure.compareAndSet(null, e);
          }
        };
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < wanted; i++) {
      running.add(pool.submit(() -> help(kernels, share)));
    }
    // the parts must not start parallel parts of their own: the threads are taken
    within(
        alone(),
        () -> {
          share.run();
          return null;
        });
    running.forEach(Workers::await);
    rethrow(failure.get());
  }

  private static void rethrow(Throwable failure) {
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
    if (failure instanceof Error error) {
      throw error;
    }
  }

  private static void help(Kernels.Scope kernels, Runnable share) {
    Kernels.within(
        kernels,
        () -> {
          share.run();
          return null;
        });
  }

  /** Waits whatever happens: helpers use the caller's arrays, and must end before it does. */
  private static void await(Future<?> helper) {
    boolean interrupted = false;
    while (true) {
      try {
        helper.get();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException("A helper failed outside its parts", e);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
