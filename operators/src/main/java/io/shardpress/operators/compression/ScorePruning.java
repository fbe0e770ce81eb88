package io.shardpress.operators.compression;

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
          Selection selection = selections.get();
          int end = Math.min(out, (part + 1) * PART);
          for (int first = part * PART; first < end; first++) {
            pruneRow(current, first, selection, result, sums[part]);
          }
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

  /** Adds what was lost, and the energy, to {@code sums}. */
  private void pruneRow(
      INDArray current, int row, Selection selection, DenseWeight result, double[] sums) {
    float[] values = new float[result.in()];
    float[] scores = new float[values.length];
    float[] mask = new float[values.length];
    Floats.readRow(current, row, values);
    for (int j = 0; j < scores.length; j++) {
      scores[j] = Math.abs(values[j]);
    }
    scales.ifPresent(s -> multiply(scores, s));
    selection.select(row, scores, mask);
    float kept = 0;
    double whole = 0;
    double left = 0;
    for (int j = 0; j < values.length; j++) {
      kept = values[j] * mask[j] + 0f; // no negative zeros
      whole += (double) values[j] * values[j];
      left += (double) kept * kept;
      values[j] = kept;
    }
    sums[0] += whole - left;
    sums[1] += whole;
    result.writeRow(row, values);
  }

  private static void multiply(float[] scores, float[] factors) {
    for (int j = 0; j < scores.length; j++) {
      scores[j] *= factors[j];
    }
  }

  private void addLosses(ReportBuilder report, INDArray current, DenseWeight result) {
    Optional<Gram> gram = statistics.flatMap(InputStatistics::gram);
    if (gram.isPresent()) {
      QuadraticForm form = new QuadraticForm(gram.get());
      report.losses(form.loss(current, result), form.energy(current));
    }
  }
}
