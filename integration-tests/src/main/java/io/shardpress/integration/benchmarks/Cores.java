package io.shardpress.integration.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/** One thread per core, each with passes of its own: what an executor does with its tasks. */
final class Cores implements AutoCloseable {
  private final ExecutorService threads = Executors.newFixedThreadPool(count(), Cores::thread);

  /** Cores that this process may use. */
  static int count() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** Runs {@code pass} once on every core at the same time; returns when all are done. */
  void each(IntConsumer pass) {
    List<Future<?>> running = new ArrayList<>();
    for (int core = 0; core < count(); core++) {
      int number = core;
      running.add(threads.submit(() -> pass.accept(number)));
    }
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (InterruptedException | ExecutionException e) {
        throw new IllegalStateException("A pass failed", e);
      }
    }
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "benchmark-core");
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
