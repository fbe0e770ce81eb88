package io.shardpress.operators.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedCoresTest {
  private final SharedCores cores = SharedCores.of(2);
  private final AtomicInteger atWork = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();

  @Test
  void aTaskComputesOnACoreThatNobodyHolds() {
    CountDownLatch both = new CountDownLatch(2);
    run(() -> Workers.forEach(2, part -> meet(both)));
    assertThat(both.getCount()).isZero();
  }

  @Test
  void tasksOnAllCoresKeepToTheirOwn() {
    CountDownLatch begun = new CountDownLatch(2);
    Runnable task =
        () ->
            run(
                () -> {
                  meet(begun); // both hold a core from here on
                  Workers.forEach(200, part -> work());
                });
    CompletableFuture.allOf(CompletableFuture.runAsync(task), CompletableFuture.runAsync(task))
        .join();
    assertThat(most.get()).isBetween(1, 2);
  }

  @Test
  void aTaskThatBeginsGetsItsCoreAfterThePartThatRunsOnIt() {
    CountDownLatch borrowed = new CountDownLatch(2);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch begun = new CountDownLatch(1);
    AtomicInteger parts = new AtomicInteger();
    CompletableFuture<Void> first =
        CompletableFuture.runAsync(
            () ->
                run(
                    () ->
                        Workers.forEach(
                            100,
                            part -> {
                              borrowed.countDown();
                              await(goOn);
                              work();
                              parts.incrementAndGet();
                              if (!isHelper()) {
                                await(begun); // so only who borrowed lets the second begin
                              }
                            })));
    await(borrowed);
    CompletableFuture<Void> second =
        CompletableFuture.runAsync(
            () ->
                run(
                    () -> {
                      begun.countDown();
                      work();
                    }));
    while (!cores.isWaitedFor()) {
      Thread.onSpinWait();
    }
    goOn.countDown();
    CompletableFuture.allOf(first, second).join();

    assertThat(parts.get()).isEqualTo(100);
    assertThat(most.get()).isBetween(1, 2);
  }

  @Test
  void coresComeBackFromTasksThatFail() {
    for (int i = 0; i < 5; i++) {
      assertThatThrownBy(
              () ->
                  run(
                      () ->
                          Workers.forEach(
                              10,
                              part -> {
                                throw new IllegalStateException("part");
                              })))
          .hasMessage("part");
    }
    aTaskComputesOnACoreThatNobodyHolds();
  }

  private void run(Runnable task) {
    cores.run(
        1,
        () -> {
          task.run();
          return null;
        });
  }

  private void work() {
    most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
    Thread.onSpinWait();
    atWork.decrementAndGet();
  }

  private static boolean isHelper() {
    return Thread.currentThread().getName().equals("shardpress-worker");
  }

  private static void meet(CountDownLatch latch) {
    latch.countDown();
    await(latch);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
