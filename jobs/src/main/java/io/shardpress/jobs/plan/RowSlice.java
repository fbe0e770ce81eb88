package io.shardpress.jobs.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Neighbouring rows of a weight that one task solves.
 *
 * @param first the first row
 * @param count number of rows
 */
public record RowSlice(long first, long count) implements Serializable {
  /** Weights of a slice: 128 MiB of BF16. The number decides borders, never bytes. */
  public static final long MOST_WEIGHTS = 1L << 26;

  /** Slices begin at multiples of what a solver sweeps together and formats pack together. */
  private static final long UNIT = 1024;

  /** Cuts {@code [out, in]} into as few slices of about equal size as the limit allows. */
  static List<RowSlice> of(long out, long in) {
    long most = Math.max(UNIT, MOST_WEIGHTS / in / UNIT * UNIT);
    long slices = (out + most - 1) / most;
    long rows = (out + slices * UNIT - 1) / (slices * UNIT) * UNIT;
    List<RowSlice> cut = new ArrayList<>();
    for (long first = 0; first < out; first += rows) {
      cut.add(new RowSlice(first, Math.min(rows, out - first)));
    }
    return List.copyOf(cut);
  }
}
