package io.shardpress.jobs.spark;

import io.shardpress.common.error.ShardpressException;
import io.shardpress.common.error.TransientStorageException;
import io.shardpress.jobs.spark.TaskMemory.Shared;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/**
 * The memory of a process that its tasks have between them. A task begins when all that it needs
 * fits beside what the running ones were promised; it asks once, so that no two wait for each
 * other, and in the order of asking, so that none waits for ever. One that does not fit even alone
 * begins when no other runs.
 *
 * <p>What tasks share is made by the first that asks for it. Tasks that will use it too begin once
 * it is there: they would only hold cores that making it can use. It stays for the next tasks that
 * share it, and is closed when one begins that does not.
 */
public final class ExecutorMemory {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Waiting> queue = new ArrayDeque<>();
  private final Map<String, Entry> entries = new HashMap<>();
  private final long budget;
  private final long heapBudget;
  private int running;
  private long ownBytes;
  private long heapBytes;
  private long peakBytes;

  /** The memory of this process, which is one as the process is: tasks of all jobs share it. */
  public static ExecutorMemory here() {
    return OfProcess.MEMORY;
  }

  private static final class OfProcess {
    static final ExecutorMemory MEMORY = new ExecutorMemory(MemoryBudget.here());
  }

  ExecutorMemory(MemoryBudget budget) {
    this(budget.taskBytes(), budget.taskHeapBytes());
  }

  /**
   * @param budget bytes outside the heap
   * @param heapBudget bytes of the heap
   */
  ExecutorMemory(long budget, long heapBudget) {
    this.budget = budget;
    this.heapBudget = heapBudget;
  }

  /**
   * Runs a task on the calling thread once its memory is there.
   *
   * @throws CancellationException when the thread is interrupted while it waits
   * @throws ShardpressException when what the task was to share cannot be made
   */
  public <T> T run(TaskMemory need, Supplier<T> task) {
    admit(need);
    try {
      return task.get();
    } finally {
      end(need);
    }
  }

  /**
   * What {@code create} makes, for everybody who asks under this key; other callers wait while it
   * is made. When that fails, all of them get the error, and the next caller tries again.
   *
   * @param key as in the {@link TaskMemory} of the calling task
   * @return to be closed after use
   */
  public <T extends AutoCloseable> Lease<T> shared(String key, Supplier<T> create) {
    Entry entry;
    CompletableFuture<AutoCloseable> made;
    boolean mine;
    lock.lock();
    try {
      entry = entries.computeIfAbsent(key, unused -> new Entry());
      entry.users++;
      mine = entry.made.isEmpty();
      if (mine) {
        entry.made = Optional.of(new CompletableFuture<>());
      }
      made = entry.made.get();
    } finally {
      lock.unlock();
    }
    if (mine) {
      make(key, entry, made, create);
    }
    try {
      return new Lease<>(value(made), () -> leave(key));
    } catch (RuntimeException | Error e) {
      leave(key);
      throw e;
    }
  }

  /** Closes what no task uses. */
  public void closeIdle() {
    lock.lock();
    try {
      closeIdleExcept("");
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The most that running tasks were promised together, and what they shared, so far. */
  public long peakBytes() {
    lock.lock();
    try {
      return peakBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Tasks that wait to begin. */
  int waiting() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  private void admit(TaskMemory need) {
    Waiting me = new Waiting(need);
    lock.lock();
    try {
      queue.addLast(me);
      while (queue.peekFirst() != me || !fits(need)) {
        changed.await();
        if (me.failure.isPresent()) {
          throw me.failure.get();
        }
      }
      begin(need);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("cancelled while waiting for memory");
    } finally {
      queue.remove(me);
      changed.signalAll();
      lock.unlock();
    }
  }

  private boolean fits(TaskMemory need) {
    String key = need.shared().map(Shared::key).orElse("");
    Entry entry = entries.getOrDefault(key, new Entry());
    if (running == 0) {
      return true;
    }
    if (entry.users > 0 && !entry.isMade()) {
      return false;
    }
    // What lies idle will be closed, unless it is what the task wants.
    long shared = entry.users > 0 ? 0 : need.sharedBytes();
    for (Entry other : entries.values()) {
      shared += other.users > 0 ? other.bytes : 0;
    }
    return ownBytes + need.ownBytes() + shared <= budget
        && heapBytes + need.heapBytes() <= heapBudget;
  }

  private void begin(TaskMemory need) {
    closeIdleExcept(need.shared().map(Shared::key).orElse(""));
    running++;
    ownBytes += need.ownBytes();
    heapBytes += need.heapBytes();
    need.shared()
        .ifPresent(
            shared -> {
              Entry entry = entries.computeIfAbsent(shared.key(), unused -> new Entry());
              entry.users++;
              entry.bytes = Math.max(entry.bytes, shared.bytes());
            });
    long held = ownBytes;
    for (Entry entry : entries.values()) {
      held += entry.bytes;
    }
    peakBytes = Math.max(peakBytes, held);
  }

  private void end(TaskMemory need) {
    lock.lock();
    try {
      running--;
      ownBytes -= need.ownBytes();
      heapBytes -= need.heapBytes();
      need.shared().ifPresent(shared -> leaveLocked(shared.key()));
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private <T extends AutoCloseable> void make(
      String key, Entry entry, CompletableFuture<AutoCloseable> made, Supplier<T> create) {
    try {
      made.complete(create.get());
      lock.lock();
      try {
        changed.signalAll(); // tasks that wait to begin with it
      } finally {
        lock.unlock();
      }
    } catch (RuntimeException | Error e) {
      lock.lock();
      try {
        entry.made = Optional.empty();
        if (e instanceof ShardpressException known
            && !(e instanceof TransientStorageException)) { // another try would end the same
          queue.stream().filter(task -> task.uses(key)).forEach(task -> task.fail(known));
        }
        changed.signalAll();
      } finally {
        lock.unlock();
      }
      made.completeExceptionally(e);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // a key has one type of value
  private static <T extends AutoCloseable> T value(CompletableFuture<AutoCloseable> made) {
    try {
      return (T) made.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("cancelled while waiting for what tasks share");
    }
  }

  private void leave(String key) {
    lock.lock();
    try {
      leaveLocked(key);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void leaveLocked(String key) {
    Entry entry = entries.get(key);
    entry.users--;
    if (entry.users == 0 && !entry.isMade()) {
      entries.remove(key);
    }
  }

  /** Under the lock: who waits for the memory is to find it free. */
  private void closeIdleExcept(String key) {
    entries
        .entrySet()
        .removeIf(
            entry -> {
              boolean idle = entry.getValue().users == 0 && !entry.getKey().equals(key);
              if (idle) {
                entry.getValue().close(entry.getKey());
              }
              return idle;
            });
  }

  /** A task in the queue. */
  private static final class Waiting {
    private final TaskMemory need;
    private Optional<ShardpressException> failure = Optional.empty();

    Waiting(TaskMemory need) {
      this.need = need;
    }

    boolean uses(String key) {
      return need.shared().filter(shared -> shared.key().equals(key)).isPresent();
    }

    void fail(ShardpressException why) {
      failure = Optional.of(why);
    }
  }

  /** Something shared: promised to running tasks, being made, or there. */
  private static final class Entry {
    private int users;
    private long bytes;
    private Optional<CompletableFuture<AutoCloseable>> made = Optional.empty();

    boolean isMade() {
      return made.filter(CompletableFuture::isDone).isPresent();
    }

    void close(String key) {
      try (AutoCloseable value = made.orElseThrow().join()) {
        LoggerFactory.getLogger(ExecutorMemory.class).debug("closing {}: {}", key, value);
      } catch (Exception e) {
        LoggerFactory.getLogger(ExecutorMemory.class).warn("{} could not be closed", key, e);
      }
    }
  }

  /** The use of something shared, until it is closed. */
  public static final class Lease<T> implements AutoCloseable {
    private final T value;
    private final Runnable end;
    private boolean closed;

    private Lease(T value, Runnable end) {
      this.value = value;
      this.end = end;
    }

    public T value() {
      return value;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        end.run();
      }
    }
  }
}
