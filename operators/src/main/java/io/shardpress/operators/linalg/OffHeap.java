package io.shardpress.operators.linalg;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Hands out off-heap memory and keeps what comes back for the next who asks for about as much. The
 * first touch of fresh memory costs 0.4 ms per MiB in page faults, more than most of what is done
 * with it; matrices of a pass have the same few sizes over and over.
 */
final class OffHeap {
  /** Below this the C library keeps freed memory itself. */
  private static final long SMALLEST_KEPT = 128 << 10;

  /** A block may be larger than what is asked for by one part in so many. */
  private static final long SLACK = 8;

  /** The share of the process's allowance that may lie idle: one part in so many. */
  private static final long IDLE_SHARE = 8;

  /** More than this lying idle is memory that the process has taken for sizes it does not use. */
  private static final long MOST_IDLE = 256 << 20;

  private final TreeMap<Long, Deque<BytePointer>> idle = new TreeMap<>();
  private final long limit;
  private long idleBytes;

  /** The memory of this process. */
  static OffHeap memory() {
    return Holder.MEMORY;
  }

  private static final class Holder {
    static final OffHeap MEMORY =
        new OffHeap(
            Pointer.maxPhysicalBytes() > 0
                ? Math.min(Pointer.maxPhysicalBytes() / IDLE_SHARE, MOST_IDLE)
                : MOST_IDLE);
  }

  /**
   * @param limit bytes that may lie idle
   */
  OffHeap(long limit) {
    this.limit = limit;
  }

  /** At least {@code bytes}, with undefined content. */
  BytePointer take(long bytes) {
    if (bytes < SMALLEST_KEPT) {
      return new BytePointer(Math.max(1, bytes));
    }
    BytePointer kept = takeKept(bytes);
    if (kept != null) {
      return kept;
    }
    try {
      return new BytePointer(bytes);
    } catch (OutOfMemoryError e) {
      freeIdle();
      return new BytePointer(bytes);
    }
  }

  private synchronized BytePointer takeKept(long bytes) {
    Map.Entry<Long, Deque<BytePointer>> entry = idle.ceilingEntry(bytes);
    if (entry == null || entry.getKey() > bytes + bytes / SLACK) {
      return null;
    }
    BytePointer block = entry.getValue().pop();
    if (entry.getValue().isEmpty()) {
      idle.remove(entry.getKey());
    }
    idleBytes -= entry.getKey();
    return block;
  }

  /** Takes memory back; nobody may use it afterwards. */
  synchronized void giveBack(BytePointer block) {
    long bytes = block.capacity();
    if (bytes < SMALLEST_KEPT || bytes > limit) {
      block.close();
      return;
    }
    while (idleBytes + bytes > limit) {
      freeOne(idle.firstEntry());
    }
    idle.computeIfAbsent(bytes, size -> new ArrayDeque<>()).push(block);
    idleBytes += bytes;
  }

  /** Frees all that lies idle. */
  synchronized void freeIdle() {
    while (!idle.isEmpty()) {
      freeOne(idle.firstEntry());
    }
  }

  private void freeOne(Map.Entry<Long, Deque<BytePointer>> entry) {
    entry.getValue().removeLast().close();
    idleBytes -= entry.getKey();
    if (entry.getValue().isEmpty()) {
      idle.remove(entry.getKey());
    }
  }

  /** Bytes that lie idle. */
  synchronized long idleBytes() {
    return idleBytes;
  }
}
