package io.shardpress.operators.compression;

import java.util.List;

/** Looks at all rows of a block of columns when its weights are current, before any is chosen. */
interface BlockRule {
  BlockRule NONE = (panels, from, upper) -> {};

  /**
   * @param panels all rows of the layer, or of the slice that is solved
   * @param from the block's first column, in visiting order
   * @param upper {@code [width][width]} the block's part of the factor U
   */
  void begin(List<Panel> panels, int from, float[][] upper);
}
