package io.shardpress.jobs.storage;

import io.shardpress.common.error.EnvironmentException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Many small calls to storage, some at a time: an object store answers each in tens of ms. */
public final class ParallelCalls {
  private static final int AT_ONCE = 16;

  private ParallelCalls() {}

  /** The results in the order of {@code items}; the first failure in that order is thrown. */
  public static <T, R> List<R> map(List<T> items, Function<T, R> call) {
    if (items.size() < 2) {
      return items.stream().map(call).toList();
    }
    ExecutorService threads = Executors.newFixedThreadPool(Math.min(AT_ONCE, items.size()));
    try {
      List<Future<R>> calls = new ArrayList<>();
      items.forEach(item -> calls.add(threads.submit(() -> call.apply(item))));
      List<R> results = new ArrayList<>();
      for (Future<R> one : calls) {
        results.add(one.get());
      }
      return results;
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException unchecked
          ? unchecked
          : new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EnvironmentException("Interrupted. Start the same command again to go on.", e);
    } finally {
      threads.shutdownNow();
    }
  }
}
