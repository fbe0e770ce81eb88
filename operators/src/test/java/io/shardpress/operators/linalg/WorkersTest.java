package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class WorkersTest {

  @Test
  void everyPartRunsOnceOnAnyNumberOfThreads() {
    for (int threads : new int[] {1, 2, 3, 8}) {
      AtomicIntegerArray runs = new AtomicIntegerArray(100);
      Workers.on(
          threads,
          () -> {
            Workers.forEach(100, runs::incrementAndGet);
            return null;
          });
      for (int i = 0; i < 100; i++) {
        assertThat(runs.get(i)).as("part %d on %d threads", i, threads).isEqualTo(1);
      }
    }
  }

  @Test
  void neverMoreThreadsThanAskedForEvenWherePartsAreNested() {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Workers.on(
        3,
        () -> {
          Workers.forEach(
              12,
              outer ->
                  Workers.forEach(
                      4,
                      inner -> {
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        Thread.onSpinWait();
                        running.decrementAndGet();
                      }));
          return null;
        });
    assertThat(most.get()).isBetween(1, 3);
  }

  @Test
  void allThreadsAskedForDoWork() {
    CountDownLatch together = new CountDownLatch(3);
    Workers.on(
        3,
        () -> {
          Workers.forEach(
              3,
              part -> {
                together.countDown();
                await(together); // returns only when three threads are here at once
              });
          return null;
        });
    assertThat(together.getCount()).isZero();
  }

  @Test
  void outsideATaskThereIsOneThread() {
    Thread caller = Thread.currentThread();
    Workers.forEach(5, part -> assertThat(Thread.currentThread()).isSameAs(caller));
  }

  @Test
  void theExceptionOfAPartReachesTheCaller() {
    for (int threads : new int[] {1, 2}) {
      assertThatThrownBy(
              () ->
                  Workers.on(
                      threads,
                      () -> {
                        Workers.forEach(
                            50,
                            part -> {
                              if (part == 7) {
                                throw new IllegalStateException("part " + part);
                              }
                            });
                        return null;
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("part 7");
    }
  }

  @Test
  void theExceptionWaitsForThePartsThatAreStillRunning() throws InterruptedException {
    CountDownLatch allStarted = new CountDownLatch(4);
    CountDownLatch release = new CountDownLatch(1);
    AtomicInteger helpers = new AtomicInteger();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread caller =
        new Thread(
            () ->
                Workers.on(
                    4,
                    () -> {
                      Workers.forEach(
                          4,
                          part -> {
                            boolean helps =
                                Thread.currentThread().getName().equals("shardpress-worker");
                            boolean slow = helps && helpers.incrementAndGet() == 3;
                            allStarted.countDown();
                            await(slow ? release : allStarted);
                            throw new IllegalStateException("part");
                          });
                      return null;
                    }));
    caller.setUncaughtExceptionHandler((thread, exception) -> thrown.set(exception));
    caller.start();
    allStarted.await();
    caller.join(300); // three parts have failed meanwhile; the slow one has not
    assertThat(caller.isAlive()).as("still waiting for the slow part").isTrue();
    release.countDown();
    caller.join();
    assertThat(thrown.get()).isInstanceOf(IllegalStateException.class).hasMessage("part");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
