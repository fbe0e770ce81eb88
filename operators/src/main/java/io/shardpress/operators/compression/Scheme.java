package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;

/**
 * What a file says of a quantized linear, whatever the method that made it. Encoders plan, write
 * and read by it.
 *
 * @param order {@code GROUP} only with groups
 */
public record Scheme(Grid grid, GroupSize groupSize, ColumnOrder order, Activations activations)
    implements Storage {
  public Scheme {
    if (groupSize.isChannel() && order != ColumnOrder.NATURAL) {
      throw new IllegalArgumentException("One scale per row leaves no order to record");
    }
  }

  /** Refuses a linear that this scheme cannot describe; see {@link GroupSize#check}. */
  @Override
  public void check(String module, long in) {
    try {
      groupSize.check(in);
    } catch (InputException e) {
      throw new InputException(module + ": " + e.getMessage(), e);
    }
  }

  @Override
  public int bits(int weightBits) {
    return grid.bits();
  }

  /** What weights are rounded to, for people. */
  String describe() {
    return "%d bits%s%s%s%s%s"
        .formatted(
            grid.bits(),
            grid.symmetric() ? "" : " with zero points",
            grid.levels() == Levels.FULL ? "" : ", as many levels on either side of zero",
            groupSize.isChannel()
                ? ", one scale per row"
                : ", one scale per %s inputs of a row".formatted(groupSize),
            order == ColumnOrder.GROUP ? " in the order of their activations" : "",
            activations == Activations.NONE ? "" : ", inputs to int8 while the model runs");
  }

  /** For people: {@code 4 bit, group 128}. */
  @Override
  public String toString() {
    return "%d bit%s%s, %s%s%s"
        .formatted(
            grid.bits(),
            grid.symmetric() ? "" : " asymmetric",
            grid.levels() == Levels.FULL ? "" : " zero-aligned",
            groupSize.isChannel() ? "per channel" : "group " + groupSize,
            order == ColumnOrder.GROUP ? ", g_idx" : "",
            activations == Activations.NONE ? "" : ", int8 activations");
  }
}
