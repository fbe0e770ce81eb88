package io.shardpress.operators.compression;

/** Which weights of a panel stay, asked for column by column in the order of the sweep. */
interface Mask {

  /**
   * The column's mask: 1 for the rows whose weight stays, 0 for the others.
   *
   * @param column position in visiting order
   * @param strip current weights {@code [columns][row]} of the strip that the column is in
   * @param index the column's place in the strip
   * @return valid until the next call
   */
  float[] column(int column, float[][] strip, int index);

  /** {@code values} where the mask has ones; no zero is negative. */
  static void apply(float[] mask, float[] values, float[] into) {
    for (int r = 0; r < into.length; r++) {
      into[r] = values[r] * mask[r] + 0f;
    }
  }
}
