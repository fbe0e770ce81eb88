package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Sets weights to zero by the scores {@code |w_ij| · s_j}, row by row, and leaves the others as
 * they are.
 *
 * @param method in whose name
 * @param scales {@code [in]} s; empty for ones
 * @param nonfinite what becomes of a weight with NaN or infinities
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ScorePruning(
    Algorithm method,
    Optional<float[]> scales,
    Optional<InputStatistics> statistics,
    NonfinitePolicy nonfinite) {
  /** Rows that a thread works on at a time. */
  private static final int PART = 64;

  /**
   * @param selections makes one for each part of the work
   */
  LayerResult prune(LinearWeight weight, Supplier<Selection> selections) {
    return weight.current(current -> prune(weight, current, selections));
  }

  private LayerResult prune(LinearWeight weight, INDArray current, Supplier<Selection> selections) {
    ReportBuilder report = new ReportBuilder(method, current);
    statistics.ifPresent(report::statistics);
    long bad = WeightScan.nonFinite(current);
    if (bad > 0) {
      return report.without(WeightScan.outcome(nonfinite, weight.module(), bad));
    }
    int out = Floats.rows(current);
    DenseWeight result = DenseWeight.zeros(weight.type(), out, Floats.columns(current));
    double[][] sums = new double[(out + PART - 1) / PART][2];
    Workers.forEach(
        sums.length,
        part -> {
          int first = part * PART;
          int rows = Math.min(PART, out - first);
          new Rows(current, result).prune(first, rows, selections.get(), sums[part]);
        });
    double lost = 0;
    double energy = 0;
    for (double[] sum : sums) {
      lost += sum[0];
      energy += sum[1];
    }
    addLosses(report, current, result);
    return report.with(new Outcome.Compressed(), result, lost, energy);
  }

  /** Scratch of one part of the work. */
  private final class Rows {
    private final INDArray current;
    private final DenseWeight result;
    private final float[] values;
    private final float[] scores;
    private final float[] mask;
    private final boolean halves;

    Rows(INDArray current, DenseWeight result) {
      this.current = current;
      halves = BFloats.isBf16(current) && result.type() == DType.BF16;
      this.result = result;
      values = new float[result.in()];
      scores = new float[values.length];
      mask = new float[values.length];
    }

    /** Adds what was lost, and the energy, to {@code sums}. */
    void prune(int first, int rows, Selection selection, double[] sums) {
      for (int row = first; row < first + rows; row++) {
        Floats.readRow(current, row, values);
        magnitudes(values, scores);
        scales.ifPresent(s -> multiply(scores, s));
        selection.select(row, scores, mask);
        addSquares(values, mask, sums);
        if (halves) {
          result.writeRow(row, Floats.bytes(current, row, 1), mask);
        } else {
          Mask.apply(mask, values, values);
          result.writeRow(row, values);
        }
      }
    }
  }

  private static void magnitudes(float[] values, float[] scores) {
    for (int j = 0; j < scores.length; j++) {
      scores[j] = Math.abs(values[j]);
    }
  }

  private static void multiply(float[] scores, float[] factors) {
    for (int j = 0; j < scores.length; j++) {
      scores[j] *= factors[j];
    }
  }

  /** Adds what the mask takes, and all, to {@code sums}; two at a time: one sum would wait. */
  private static void addSquares(float[] values, float[] mask, double[] sums) {
    double lost = 0;
    double otherLost = 0;
    double all = 0;
    double otherAll = 0;
    int j = 0;
    for (; j + 1 < values.length; j += 2) {
      float square = values[j] * values[j];
      float other = values[j + 1] * values[j + 1];
      all += square;
      otherAll += other;
      lost += square * (1 - mask[j]);
      otherLost += other * (1 - mask[j + 1]);
    }
    for (; j < values.length; j++) {
      all += values[j] * values[j];
      lost += values[j] * values[j] * (1 - mask[j]);
    }
    sums[0] += lost + otherLost;
    sums[1] += all + otherAll;
  }

  private void addLosses(ReportBuilder report, INDArray current, DenseWeight result) {
    Optional<Gram> gram = statistics.flatMap(InputStatistics::gram);
    if (gram.isPresent()) {
      QuadraticForm form = new QuadraticForm(gram.get());
      report.losses(form.loss(current, result), form.energy(current));
    }
  }
}
