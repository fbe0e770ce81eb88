package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Shares a sparsity out over blocks as OWL does (Yin et al., 2023, equations 2 and 3). The first
 * round finds the mean Wanda score {@code |w|·sqrt(Σx²/tokens)} of each block, the second the share
 * o of its scores above {@code multiple} times that. Then {@code keep = r − mean(r) + 1 − s} with
 * {@code r = 2·spread·(o − min o)/(max o − min o)}, within {@code [0.02, 1]}, and moved so that the
 * mean over all weights is {@code 1 − s}.
 *
 * @param settings what was asked for
 * @param sparsity s
 * @param limits by block, above what a score is an outlier; empty in the first round
 */
record OutlierSurvey(Pruner settings, Budget budget, double sparsity, Map<Integer, Double> limits)
    implements Survey {
  private static final double LEAST_KEPT = 0.02;
  private static final int PART = 256;

  OutlierSurvey {
    limits = Map.copyOf(limits);
  }

  static OutlierSurvey of(Pruner settings, Budget budget, double sparsity) {
    return new OutlierSurvey(settings, budget, sparsity, Map.of());
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.MOMENTS;
  }

  @Override
  public boolean concerns(Subject subject) {
    return true;
  }

  /** A linear whose input no token reached has no scores. */
  @Override
  public Finding look(Subject subject, INDArray weight, Optional<InputStatistics> statistics) {
    if (statistics.isEmpty()) {
      return new Finding(subject, new int[0], new double[0]);
    }
    float[] norms = WandaSolver.norms(statistics.get());
    double scale = 1 / Math.sqrt((double) Math.max(1, statistics.get().tokens()));
    for (int j = 0; j < norms.length; j++) {
      norms[j] *= (float) scale;
    }
    int rows = Floats.rows(weight);
    double[] sums = new double[(rows + PART - 1) / PART];
    Workers.forEach(
        sums.length,
        part -> {
          float[] row = new float[norms.length];
          for (int i = part * PART; i < Math.min(rows, (part + 1) * PART); i++) {
            Floats.readRow(weight, i, row);
            sums[part] += limits.isEmpty() ? sum(row, norms) : above(row, norms, subject.stage());
          }
        });
    return new Finding(subject, new int[] {0}, new double[] {Arrays.stream(sums).sum()});
  }

  private static double sum(float[] row, float[] norms) {
    double sum = 0;
    for (int j = 0; j < row.length; j++) {
      sum += Math.abs(row[j]) * norms[j];
    }
    return sum;
  }

  private double above(float[] row, float[] norms, int stage) {
    float limit = limits.get(stage).floatValue();
    int count = 0;
    for (int j = 0; j < row.length; j++) {
      count += Math.abs(row[j]) * norms[j] > limit ? 1 : 0;
    }
    return count;
  }

  @Override
  public Next next(List<Finding> findings) {
    SortedMap<Integer, Double> sums = new TreeMap<>();
    SortedMap<Integer, Double> scored = new TreeMap<>();
    SortedMap<Integer, Double> weights = new TreeMap<>();
    for (Finding finding : findings) {
      int stage = finding.subject().stage();
      boolean has = finding.keys().length > 0;
      sums.merge(stage, has ? finding.values()[0] : 0, Double::sum);
      scored.merge(stage, has ? finding.subject().weights() : 0, Double::sum);
      weights.merge(stage, finding.subject().weights(), Double::sum);
    }
    Map<Integer, Double> shares = new HashMap<>();
    sums.forEach((stage, sum) -> shares.put(stage, sum / Math.max(1, scored.get(stage))));
    if (limits.isEmpty()) {
      shares.replaceAll((stage, mean) -> budget.multiple() * mean);
      return new Again(new OutlierSurvey(settings, budget, sparsity, shares));
    }
    Map<Integer, Double> kept = kept(shares, weights);
    Map<Subject, Settings> settled = new HashMap<>();
    for (Finding finding : findings) {
      double share = 1 - kept.get(finding.subject().stage());
      settled.put(finding.subject(), settings.withSparsity(share));
    }
    return new Decided(settled);
  }

  /** The share of weights that each block keeps. */
  private Map<Integer, Double> kept(
      Map<Integer, Double> outliers, SortedMap<Integer, Double> weights) {
    double least = outliers.values().stream().mapToDouble(o -> o).min().orElse(0);
    double most = outliers.values().stream().mapToDouble(o -> o).max().orElse(0);
    Map<Integer, Double> rises = new HashMap<>();
    outliers.forEach(
        (stage, o) ->
            rises.put(
                stage, most == least ? 0 : 2 * budget.spread() * (o - least) / (most - least)));
    double low = -1;
    double high = 1;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (mean(rises, weights, middle) < 1 - sparsity) {
        low = middle;
      } else {
        high = middle;
      }
    }
    double shift = high;
    Map<Integer, Double> kept = new HashMap<>();
    rises.forEach((stage, rise) -> kept.put(stage, bounded(rise + shift)));
    return kept;
  }

  private double mean(
      Map<Integer, Double> rises, SortedMap<Integer, Double> weights, double shift) {
    double sum = 0;
    double whole = 0;
    for (Map.Entry<Integer, Double> block : weights.entrySet()) {
      sum += bounded(rises.get(block.getKey()) + shift) * block.getValue();
      whole += block.getValue();
    }
    return sum / whole;
  }

  private double bounded(double kept) {
    return Math.min(1, Math.max(Math.min(LEAST_KEPT, (1 - sparsity) / 2), kept));
  }
}
