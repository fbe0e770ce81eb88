package io.shardpress.jobs.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.common.error.NumericalException;
import io.shardpress.jobs.spark.ExecutorMemory.Lease;
import io.shardpress.jobs.spark.TaskMemory.Shared;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ExecutorMemoryTest {
  private final ExecutorMemory memory = new ExecutorMemory(100, 100);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Held> made = new ArrayList<>();

  @AfterEach
  void stop() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void tasksThatFitRunTogether() throws Exception {
    Running first = start(own(50));
    Running second = start(own(50));
    first.awaitBegin();
    second.awaitBegin();
    first.end();
    second.end();
    assertThat(memory.peakBytes()).isEqualTo(100);
  }

  @Test
  void aTaskWaitsForRoom() throws Exception {
    Running first = begin(own(60));
    Running second = start(own(41));
    awaitWaiting(1);
    first.end();
    second.awaitBegin();
    second.end();
    assertThat(memory.peakBytes()).isEqualTo(60);
  }

  @Test
  void aTaskWaitsForHeap() throws Exception {
    Running first = begin(TaskMemory.of(0, 60));
    Running second = start(TaskMemory.of(0, 41));
    awaitWaiting(1);
    first.end();
    second.awaitBegin();
    second.end();
  }

  @Test
  void aLargeTaskIsNotOvertaken() throws Exception {
    Running small = begin(own(30));
    Running large = start(own(100));
    awaitWaiting(1);
    Running later = start(own(30));
    awaitWaiting(2);

    small.end();
    large.awaitBegin();
    assertThat(later.began()).isFalse();
    large.end();
    later.awaitBegin();
    later.end();
  }

  @Test
  void aTaskThatNeverFitsRunsAlone() throws Exception {
    Running small = begin(own(1));
    Running huge = start(own(1000));
    awaitWaiting(1);
    small.end();
    huge.awaitBegin();

    Running next = start(own(1));
    awaitWaiting(1);
    huge.end();
    next.awaitBegin();
    next.end();
  }

  @Test
  void aTaskThatIsCancelledLeavesTheQueue() throws Exception {
    Running first = begin(own(100));
    Running cancelled = start(own(100));
    awaitWaiting(1);
    Running next = start(own(10));
    awaitWaiting(2);

    cancelled.thread.interrupt();
    assertThatThrownBy(() -> cancelled.future.get())
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(CancellationException.class)
        .hasMessage("cancelled while waiting for memory");
    first.end();
    next.awaitBegin();
    next.end();
  }

  @Test
  void aTaskThatFailsGivesItsMemoryBack() {
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(
              () ->
                  memory.run(
                      own(100),
                      () -> {
                        throw new IllegalStateException("broken");
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("broken");
    }
    assertThat(memory.<Integer>run(own(100), () -> 7)).isEqualTo(7);
  }

  @Test
  void whatIsSharedCountsOnceAndIsMadeOnce() throws Exception {
    Running first = begin(sharing("a", 40, 30));
    Lease<Held> made = first.share("a");
    Running second = begin(sharing("a", 40, 30));
    Lease<Held> found = second.share("a");

    assertThat(found.value()).isSameAs(made.value());
    assertThat(memory.peakBytes()).as("30 + 30 of their own").isEqualTo(100);
    found.close();
    made.close();
    first.end();
    second.end();
    assertThat(this.made).hasSize(1);
  }

  @Test
  void tasksThatShareBeginWhenItIsMade() throws Exception {
    Running first = begin(sharing("a", 40, 10));
    Running second = start(sharing("a", 40, 10));
    awaitWaiting(1);

    Lease<Held> made = first.share("a");
    second.awaitBegin();
    made.close();
    first.end();
    second.end();
  }

  @Test
  void aTaskThatEndsWithoutMakingItLetsTheNextTry() throws Exception {
    Running first = begin(sharing("a", 40, 10));
    Running second = start(sharing("a", 40, 10));
    awaitWaiting(1);
    first.end();
    second.awaitBegin();
    second.share("a").close();
    second.end();
  }

  @Test
  void whatIsSharedStaysForTheNextOfItsKindAndGoesWhenAnotherTaskBegins() throws Exception {
    runSharing("a");
    Held idle = made.get(0);
    assertThat(idle.closed).isFalse();

    runSharing("a");
    assertThat(made).as("used again").hasSize(1);

    runSharing("b");
    assertThat(idle.closed).isTrue();
    assertThat(made).hasSize(2);

    memory.run(own(1), () -> 0);
    assertThat(made.get(1).closed).isTrue();
  }

  @Test
  void whatLiesIdleTakesNoRoomFromOthers() throws Exception {
    runSharing("a");
    Running other = begin(own(90));
    assertThat(made.get(0).closed).isTrue();
    assertThat(memory.peakBytes()).isEqualTo(90);
    other.end();
  }

  @Test
  void whatIsInUseIsNotClosed() throws Exception {
    Running first = begin(sharing("a", 40, 10));
    Lease<Held> lease = first.share("a");
    Running other = begin(own(50));
    assertThat(lease.value().closed).isFalse();
    Running third = start(own(1));
    awaitWaiting(1);
    lease.close();
    first.end();
    third.awaitBegin();
    assertThat(lease.value().closed).as("closed by the task that began").isTrue();
    third.end();
    other.end();
  }

  @Test
  void idleThingsAreClosedWhenAskedFor() throws Exception {
    runSharing("a");
    memory.closeIdle();
    assertThat(made.get(0).closed).isTrue();
  }

  @Test
  void everybodyWhoWaitsGetsTheErrorAndNothingStays() throws Exception {
    CountDownLatch making = new CountDownLatch(1);
    CountDownLatch fail = new CountDownLatch(1);
    NumericalException error = new NumericalException("not positive definite");
    Future<?> maker =
        threads.submit(
            () ->
                memory.shared(
                    "a",
                    () -> {
                      making.countDown();
                      await(fail);
                      throw error;
                    }));
    await(making);
    List<Thread> waiters = new ArrayList<>();
    List<Future<?>> users = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      users.add(
          threads.submit(
              () -> {
                synchronized (waiters) {
                  waiters.add(Thread.currentThread());
                }
                return memory.shared("a", this::make);
              }));
    }
    Running declared = start(sharing("a", 40, 10));
    declared.awaitBegin();
    Running queued = start(sharing("a", 40, 10));
    awaitWaiting(1);
    spinUntil(
        () -> {
          synchronized (waiters) {
            return waiters.size() == 3
                && waiters.stream().allMatch(t -> t.getState() == Thread.State.WAITING);
          }
        });

    fail.countDown();
    users.add(maker);
    users.add(queued.future);
    for (Future<?> user : users) {
      assertThatThrownBy(user::get).hasCause(error);
    }
    assertThat(made).isEmpty();
    declared.end();

    runSharing("a");
    assertThat(made).as("the next tries anew").hasSize(1);
  }

  @Test
  void manyTasksOfManyKindsAllEnd() throws Exception {
    AtomicInteger most = new AtomicInteger();
    AtomicInteger now = new AtomicInteger();
    List<Future<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      int number = i;
      TaskMemory need =
          number % 3 == 0 ? own(number % 50) : sharing("key" + number % 4, 30, number % 20);
      all.add(
          threads.submit(
              () ->
                  memory.run(
                      need,
                      () -> {
                        int bytes = (int) need.ownBytes();
                        most.accumulateAndGet(now.addAndGet(bytes), Math::max);
                        need.shared().ifPresent(s -> memory.shared(s.key(), this::make).close());
                        now.addAndGet(-bytes);
                        return number;
                      })));
    }
    for (int i = 0; i < all.size(); i++) {
      assertThat(all.get(i).get()).isEqualTo(i);
    }
    memory.closeIdle();
    assertThat(made).allMatch(held -> held.closed);
    assertThat(most.get()).isLessThanOrEqualTo(100);
    assertThat(memory.peakBytes()).isLessThanOrEqualTo(100);
  }

  private void runSharing(String key) {
    memory.run(
        sharing(key, 40, 10),
        () -> {
          memory.shared(key, this::make).close();
          return 0;
        });
  }

  private Held make() {
    synchronized (made) {
      Held held = new Held();
      made.add(held);
      return held;
    }
  }

  private static final class Held implements AutoCloseable {
    private volatile boolean closed;

    @Override
    public void close() {
      closed = true;
    }
  }

  private static TaskMemory own(long bytes) {
    return TaskMemory.of(bytes, 0);
  }

  private static TaskMemory sharing(String key, long bytes, long own) {
    return new TaskMemory(own, 0, Optional.of(new Shared(key, bytes)));
  }

  /** A task that holds its memory until it is told to end. */
  private final class Running {
    private final CountDownLatch began = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);
    private Future<?> future;
    private volatile Thread thread;

    void awaitBegin() {
      await(began);
    }

    boolean began() {
      return began.getCount() == 0;
    }

    Lease<Held> share(String key) {
      return memory.shared(key, ExecutorMemoryTest.this::make);
    }

    void end() throws Exception {
      end.countDown();
      future.get();
    }
  }

  private Running start(TaskMemory need) {
    Running task = new Running();
    CountDownLatch started = new CountDownLatch(1);
    task.future =
        threads.submit(
            () -> {
              task.thread = Thread.currentThread();
              started.countDown();
              memory.run(
                  need,
                  () -> {
                    task.began.countDown();
                    await(task.end);
                    return 0;
                  });
            });
    await(started);
    return task;
  }

  private Running begin(TaskMemory need) {
    Running task = start(need);
    task.awaitBegin();
    return task;
  }

  private void awaitWaiting(int tasks) {
    spinUntil(() -> memory.waiting() == tasks);
  }

  private static void spinUntil(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Thread.onSpinWait();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
