package io.shardpress.common.safetensors;

import io.shardpress.common.storage.SeekableInput;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Rows that lie close to each other in a file, so that one read covers them. */
final class RowRun {
  private static final int PLACE_BITS = 31;

  /** Most rows a tensor may have for its row numbers to be packed. */
  static final long MAX_ROWS = 1L << (63 - PLACE_BITS);

  private static final long MAX_GAP = 1 << 16;
  private static final long MAX_RUN = 1 << 24;

  /** Row number in the upper, place in the result in the lower 31 bits, ascending. */
  private final long[] sorted;

  private final int from;
  private final int to;
  private final long rowBytes;

  private RowRun(long[] sorted, int from, int to, long rowBytes) {
    this.sorted = sorted;
    this.from = from;
    this.to = to;
    this.rowBytes = rowBytes;
  }

  /** Runs that together cover all {@code rows}. */
  static List<RowRun> over(long[] rows, long rowBytes) {
    long[] sorted = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      sorted[i] = rows[i] << PLACE_BITS | i;
    }
    Arrays.sort(sorted);
    List<RowRun> runs = new ArrayList<>();
    int from = 0;
    for (int to = 1; to <= sorted.length; to++) {
      if (to == sorted.length || startsRun(sorted, from, to, rowBytes)) {
        runs.add(new RowRun(sorted, from, to, rowBytes));
        from = to;
      }
    }
    return runs;
  }

  private static boolean startsRun(long[] sorted, int from, int next, long rowBytes) {
    long step = row(sorted, next) - row(sorted, next - 1);
    long run = (row(sorted, next) + 1 - row(sorted, from)) * rowBytes;
    return (step - 1) * rowBytes > MAX_GAP || (step > 0 && run > MAX_RUN);
  }

  /** Reads the run and puts each row in its places in {@code gathered}. */
  void copy(SeekableInput input, long tensorBegin, ByteBuffer gathered) {
    long first = row(sorted, from);
    long bytes = (row(sorted, to - 1) + 1 - first) * rowBytes;
    ByteBuffer run = ByteBuffer.allocate(Math.toIntExact(bytes));
    input.read(tensorBegin + first * rowBytes, run);
    int size = (int) rowBytes;
    for (int i = from; i < to; i++) {
      int place = (int) (sorted[i] & ((1L << PLACE_BITS) - 1));
      gathered.put(place * size, run, (int) ((row(sorted, i) - first) * rowBytes), size);
    }
  }

  private static long row(long[] sorted, int i) {
    return sorted[i] >>> PLACE_BITS;
  }
}
