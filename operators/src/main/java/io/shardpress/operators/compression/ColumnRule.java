package io.shardpress.operators.compression;

/**
 * Decides what the weights of a column become, given what earlier columns made of them: the one
 * step in which error-feedback methods differ.
 */
interface ColumnRule {

  /**
   * Chooses the final values of one column for all rows of a panel.
   *
   * @param panel gives the current weights of later columns of its block, where a strip begins
   * @param column position in visiting order
   * @param strip current weights {@code [columns][row]} of the strip that the column is in; not to
   *     be changed
   * @param index the column's place in the strip
   * @param chosen receives their final values
   */
  void choose(Panel panel, int column, float[][] strip, int index, float[] chosen);
}
