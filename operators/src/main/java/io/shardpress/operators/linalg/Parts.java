package io.shardpress.operators.linalg;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/** The parts of one computation, which the calling thread and its helpers take from one counter. */
final class Parts {
  private final int count;
  private final IntConsumer part;
  private final SharedCores cores;
  private final Kernels.Scope kernels = Kernels.scope();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final List<Future<?>> running = new ArrayList<>();

  Parts(int count, IntConsumer part, SharedCores cores) {
    this.count = count;
    this.part = part;
    this.cores = cores;
  }

  /**
   * Runs them all and returns when they are done.
   *
   * @param held cores that the caller holds beside that of its thread
   */
  void run(int held) {
    try {
      for (int i = 0; i < Math.min(held, count - 1); i++) {
        help(() -> true, () -> {});
      }
      Workers.alone(() -> share(this::helpersOnFreeCores));
    } finally {
      running.forEach(Parts::await);
    }
    rethrow(failure.get());
  }

  /** Starts a helper on every core that is free, if there is work for it; always true. */
  private boolean helpersOnFreeCores() {
    while (next.get() < count - 1 && cores.borrow()) {
      help(() -> !cores.isWaitedFor(), cores::giveBack);
    }
    return true;
  }

  private void help(BooleanSupplier mayGoOn, Runnable end) {
    Runnable helper =
        () -> {
          try {
            Kernels.within(
                kernels,
                () -> {
                  share(mayGoOn);
                  return null;
                });
          } finally {
            end.run();
          }
        };
    try {
      running.add(cores.helpers().submit(helper));
    } catch (RuntimeException | Error e) { // the system has no more threads
      end.run();
      throw e;
    }
  }

  /** Takes parts while there are any and {@code mayGoOn}, which is asked before each. */
  private void share(BooleanSupplier mayGoOn) {
    try {
      while (mayGoOn.getAsBoolean()) {
        int i = next.getAndIncrement();
        if (i >= count) {
          return;
        }
        part.accept(i);
      }
    } catch (RuntimeException | Error e) {
      next.set(count);
      failure.compareAndSet(null, e);
    }
  }

  private static void rethrow(Throwable failure) {
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
    if (failure instanceof Error error) {
      throw error;
    }
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
