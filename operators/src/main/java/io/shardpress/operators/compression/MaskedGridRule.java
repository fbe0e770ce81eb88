package io.shardpress.operators.compression;

/** Rounds the weights that a mask keeps; the others become exactly zero, which every grid has. */
final class MaskedGridRule implements ColumnRule {
  private final Mask mask;
  private final GridRule grid;
  private final float[] masked = new float[Panel.ROWS];

  MaskedGridRule(Mask mask, GridRule grid) {
    this.mask = mask;
    this.grid = grid;
  }

  @Override
  public void choose(Panel panel, int column, float[][] strip, int index, float[] chosen) {
    Mask.apply(mask.column(column, strip, index), strip[index], masked);
    grid.choose(panel, column, masked, chosen);
  }
}
