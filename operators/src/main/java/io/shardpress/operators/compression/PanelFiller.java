package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prepares one panel after another for a sweep: its weights in visiting order, dead inputs zeroed.
 * Threads may share it.
 *
 * @param weight F32 {@code [out, in]}, borrowed
 */
record PanelFiller(INDArray weight, DampedFactor factor) {
  /** Rows turned into columns together. */
  private static final int STRIP = 128;

  /** Rows read together: whole cache lines of a column. */
  private static final int RUN = 16;

  /** Heap bytes of a thread that fills a panel of a weight with {@code in} columns. */
  static long scratchBytes(long in) {
    return (STRIP + RUN) * in * Float.BYTES;
  }

  /** Fills all panels, and closes them when {@code use} is done with them. */
  <T> T onPanels(Function<List<Panel>, T> use) {
    int out = Floats.rows(weight);
    Panel[] panels = new Panel[(out + Panel.ROWS - 1) / Panel.ROWS];
    try {
      Workers.forEach(panels.length, index -> panels[index] = panel(index));
      return use.apply(List.of(panels));
    } finally {
      Arrays.stream(panels).filter(Objects::nonNull).forEach(Panel::close);
    }
  }

  private Panel panel(int index) {
    int out = Floats.rows(weight);
    int in = Floats.columns(weight);
    int rows = Math.min(Panel.ROWS, out - index * Panel.ROWS);
    Panel panel = new Panel(index, rows, Floats.uninitialized(in, Panel.ROWS));
    float[] columns = new float[in * STRIP];
    for (int first = 0; first < Panel.ROWS; first += STRIP) {
      turn(panel, first, Math.max(0, Math.min(STRIP, rows - first)), columns);
      panel.writeRows(first, STRIP, columns);
    }
    return panel;
  }

  /** Some rows as {@code columns [in, STRIP]}; dead inputs and missing rows are zero. */
  private void turn(Panel panel, int first, int rows, float[] columns) {
    int in = Floats.columns(weight);
    if (rows < STRIP) {
      Arrays.fill(columns, 0);
    }
    int[] visited = factor.layout().visited();
    float[] values = new float[RUN * in];
    for (int run = 0; run < rows; run += RUN) {
      int count = Math.min(RUN, rows - run);
      Floats.readRows(weight, panel.firstRow() + first + run, count, values);
      for (int place = 0; place < visited.length; place++) {
        int from = visited[place];
        int to = place * STRIP + run;
        for (int i = 0; i < count; i++) {
          columns[to + i] = values[i * in + from];
        }
      }
    }
    for (int place = 0; place < visited.length; place++) {
      if (factor.dead()[visited[place]]) {
        Arrays.fill(columns, place * STRIP, (place + 1) * STRIP, 0);
      }
    }
  }
}
