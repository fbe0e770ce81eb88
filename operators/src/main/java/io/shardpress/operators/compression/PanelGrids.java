package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes the rule that rounds a panel's columns, with its scales. Threads may share it.
 *
 * @param weight F32 {@code [out, in]} before the sweep, borrowed
 * @param source of the scales: {@code ORIGINAL} or {@code UPDATED}
 */
record PanelGrids(
    INDArray weight, DampedFactor factor, ScaleSource source, QuantizedWeight.Assembly result) {

  /** Whether the sweep finds the ranges of groups when it reaches them. */
  boolean scalesFromSweep() {
    return source == ScaleSource.UPDATED && !result.scheme.groupSize().isChannel();
  }

  /** What the sweep does to a panel's columns. */
  GridRule rule(Panel panel, Clip clip, DType scaleType) {
    GroupRange range = new GroupRange(result.scheme.grid(), clip, scaleType, DType.F32);
    Rounding rounding = new Rounding(result.scheme.grid());
    if (scalesFromSweep()) {
      return GridRule.findingScales(result, factor.layout(), rounding, range);
    }
    findScales(panel, range);
    return GridRule.withScales(panel, result, factor.layout(), rounding, range);
  }

  /** Scales of the weights before the sweep. */
  private void findScales(Panel panel, GroupRange range) {
    boolean withDead = source == ScaleSource.UPDATED;
    boolean inVisitingOrder = result.scheme.order() == ColumnOrder.GROUP;
    int columns = result.scheme.groupSize().in(result.in);
    float[] row = new float[result.in];
    float[] visited = new float[result.in];
    float[] group = new float[columns];
    for (int i = panel.firstRow(); i < panel.firstRow() + panel.rows(); i++) {
      Floats.readRow(weight, i, row);
      if (!withDead) {
        factor.clearDead(row);
      }
      if (inVisitingOrder) {
        factor.layout().toVisited(row, 0, visited, 0);
      }
      for (int g = 0; g < result.groups; g++) {
        System.arraycopy(inVisitingOrder ? visited : row, g * columns, group, 0, columns);
        range.find(group, columns);
        result.put(i, g, range);
      }
    }
  }
}
