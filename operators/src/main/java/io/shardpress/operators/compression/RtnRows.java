package io.shardpress.operators.compression;

import java.nio.ByteBuffer;

/** Rounds rows of a weight to nearest. Scratch of one thread. */
final class RtnRows {
  private final QuantizedWeight.Assembly result;
  private final GroupLanes lanes;
  private final LaneRounding rounding;
  private final GroupRange range;
  private final float[] group;
  private final boolean[] mayClip;
  private long clipped;

  /**
   * What happened to some rows.
   *
   * @param finite whether all weights are; else the rest means nothing
   * @param clipped weights more than one step outside the grid
   * @param error {@code Σ (w − q)²}
   * @param energy {@code Σ w²}
   */
  record Sums(boolean finite, long clipped, double error, double energy) {

    /** The sums over all rows, added up in the order of {@code parts}. */
    static Sums of(Sums... parts) {
      Sums all = new Sums(true, 0, 0, 0);
      for (Sums part : parts) {
        all =
            new Sums(
                all.finite && part.finite,
                all.clipped + part.clipped,
                all.error + part.error,
                all.energy + part.energy);
      }
      return all;
    }
  }

  /**
   * @param lanes as the rows are stored
   */
  RtnRows(
      QuantizedWeight.Assembly result, GroupLanes lanes, LaneRounding rounding, GroupRange range) {
    this.result = result;
    this.lanes = lanes;
    this.rounding = rounding;
    this.range = range;
    this.group = new float[range.searches() ? result.in / result.groups : 0];
    this.mayClip = new boolean[result.groups];
  }

  /**
   * Rounds {@code count} rows from {@code first} on into the result, up to a group that is not
   * finite. Once per object.
   *
   * @param rows the elements of just these rows
   */
  Sums round(ByteBuffer rows, int first, int count) {
    int columns = result.in / result.groups;
    for (int i = 0; i < count; i++) {
      for (int from = 0; from < result.in; from += lanes.capacity()) {
        lanes.load(rows, i * result.in + from, Math.min(lanes.capacity(), result.in - from));
        if (!roundLoaded(first + i, from / columns)) {
          return new Sums(false, 0, 0, 0);
        }
      }
    }
    return new Sums(true, clipped, rounding.error(), rounding.energy());
  }

  /** Whether the loaded groups were finite. */
  private boolean roundLoaded(int row, int firstGroup) {
    int groups = lanes.groups();
    float largest = 0;
    for (int g = 0; g < groups; g++) {
      float max = lanes.max(g);
      float min = lanes.min(g, max);
      if (!Float.isFinite(min) || !Float.isFinite(max)) {
        return false;
      }
      largest = Math.max(largest, Math.max(-min, max));
      if (range.searches()) {
        lanes.read(g, group);
        range.find(group, group.length);
      } else {
        range.lay(min, max);
      }
      result.put(row, firstGroup + g, range);
      rounding.lay(g, range.scale(), range.zeroPoint());
      mayClip[g] = rounding.mayClip(min, max, range.scale(), range.zeroPoint());
    }
    rounding.round(
        result.codes, row * result.in + firstGroup * (result.in / result.groups), largest);
    for (int g = 0; g < groups; g++) {
      clipped += mayClip[g] ? rounding.clipped(g) : 0;
    }
    return true;
  }
}
