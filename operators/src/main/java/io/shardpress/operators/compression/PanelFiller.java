package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prepares one panel after another for a sweep: its weights in visiting order, dead inputs zeroed,
 * and the rule with its scales. Threads may share it.
 */
record PanelFiller(
    Gptq settings, INDArray weight, DampedFactor factor, QuantizedWeight.Assembly result) {
  /** Rows turned into columns together. */
  private static final int STRIP = 128;

  /** Rows read together: whole cache lines of a column. */
  private static final int RUN = 16;

  /** Whether the sweep finds the ranges of groups when it reaches them. */
  boolean scalesFromSweep() {
    return settings.effectiveScaleSource() == ScaleSource.UPDATED
        && !settings.groupSize().isChannel();
  }

  /** Heap bytes of a thread that fills a panel of a weight with {@code in} columns. */
  static long scratchBytes(long in) {
    return (STRIP + RUN) * in * Float.BYTES;
  }

  /** Fills all panels, and closes them when {@code use} is done with them. */
  <T> T onPanels(Function<List<Panel>, T> use) {
    Panel[] panels = new Panel[(result.out + Panel.ROWS - 1) / Panel.ROWS];
    try {
      Workers.forEach(panels.length, index -> panels[index] = panel(index));
      return use.apply(List.of(panels));
    } finally {
      Arrays.stream(panels).filter(Objects::nonNull).forEach(Panel::close);
    }
  }

  private Panel panel(int index) {
    int rows = Math.min(Panel.ROWS, result.out - index * Panel.ROWS);
    Panel panel = new Panel(index, rows, Floats.uninitialized(result.in, Panel.ROWS));
    float[] columns = new float[result.in * STRIP];
    for (int first = 0; first < Panel.ROWS; first += STRIP) {
      turn(panel, first, Math.max(0, Math.min(STRIP, rows - first)), columns);
      panel.writeRows(first, STRIP, columns);
    }
    return panel;
  }

  /** Some rows as {@code columns [in, STRIP]}; dead inputs and missing rows are zero. */
  private void turn(Panel panel, int first, int rows, float[] columns) {
    if (rows < STRIP) {
      Arrays.fill(columns, 0);
    }
    int[] visited = factor.layout().visited();
    float[] values = new float[RUN * result.in];
    for (int run = 0; run < rows; run += RUN) {
      int count = Math.min(RUN, rows - run);
      Floats.readRows(weight, panel.firstRow() + first + run, count, values);
      for (int place = 0; place < visited.length; place++) {
        int from = visited[place];
        int to = place * STRIP + run;
        for (int i = 0; i < count; i++) {
          columns[to + i] = values[i * result.in + from];
        }
      }
    }
    for (int place = 0; place < visited.length; place++) {
      if (factor.dead()[visited[place]]) {
        Arrays.fill(columns, place * STRIP, (place + 1) * STRIP, 0);
      }
    }
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
    boolean withDead = settings.effectiveScaleSource() == ScaleSource.UPDATED;
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
