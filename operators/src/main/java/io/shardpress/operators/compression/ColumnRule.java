package io.shardpress.operators.compression;

/**
 * Decides what the weights of a column become, given what earlier columns made of them: the one
 * step in which error-feedback methods differ.
 */
interface ColumnRule {

  /**
   * Chooses the final values of one column for all rows of a panel.
   *
   * @param panel gives the current weights of this and later columns of its block
   * @param column position in visiting order
   * @param values current weights of the column, by row of the panel
   * @param chosen receives their final values
   */
  void choose(Panel panel, int column, float[] values, float[] chosen);
}
