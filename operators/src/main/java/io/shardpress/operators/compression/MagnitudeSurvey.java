package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StatisticsNeed;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Finds the exact quantile of the magnitudes of many weights, by the histogram of some of their
 * bits after that of higher ones: as integers, the bits of floats that are not negative have the
 * order of the floats. Two rounds settle BF16 and F16, three F32. Weights that equal the threshold
 * become zero in the order of the forward pass, until there are enough.
 *
 * @param settings what was asked for
 * @param round 0 to 2
 * @param pools what is known of each pool of weights that share a threshold
 */
record MagnitudeSurvey(Magnitude settings, int round, Map<String, Pool> pools) implements Survey {
  private static final int[] SHIFTS = {20, 10, 0};
  private static final int[] WIDTHS = {11, 10, 10};
  private static final int LOW_BITS = (1 << 10) - 1;

  /** Counts weights whose lowest bits, which the next round would look at, are not all zero. */
  private static final int MORE = 1 << 11;

  /** Rows that a thread works on at a time. */
  private static final int PART = 256;

  /**
   * @param prefix the highest bits of the threshold
   * @param left the rank of the threshold among the weights that have them
   */
  record Pool(int prefix, double left) implements java.io.Serializable {}

  MagnitudeSurvey {
    pools = Map.copyOf(pools);
  }

  static MagnitudeSurvey of(Magnitude settings) {
    return new MagnitudeSurvey(settings, 0, Map.of());
  }

  @Override
  public StatisticsNeed needs() {
    return StatisticsNeed.NONE;
  }

  @Override
  public boolean concerns(Subject subject) {
    return settings.scope() == Magnitude.Scope.GLOBAL || !subject.isWhole();
  }

  private String pool(Subject subject) {
    return settings.scope() == Magnitude.Scope.GLOBAL ? "" : subject.module();
  }

  @Override
  public Finding look(Subject subject, INDArray weight, Optional<InputStatistics> statistics) {
    int rows = Floats.rows(weight);
    int prefix = round == 0 ? 0 : pools.get(pool(subject)).prefix();
    long[][] counts = new long[(rows + PART - 1) / PART][];
    Workers.forEach(
        counts.length,
        part ->
            counts[part] = count(weight, part * PART, Math.min(rows, (part + 1) * PART), prefix));
    long[] sums = new long[MORE + 1];
    for (long[] some : counts) {
      for (int key = 0; key < sums.length; key++) {
        sums[key] += some[key];
      }
    }
    int[] keys = IntStream.range(0, sums.length).filter(key -> sums[key] > 0).toArray();
    return new Finding(subject, keys, IntStream.of(keys).mapToDouble(key -> sums[key]).toArray());
  }

  private long[] count(INDArray weight, int first, int end, int prefix) {
    long[] counts = new long[MORE + 1];
    float[] row = new float[Floats.columns(weight)];
    for (int i = first; i < end; i++) {
      Floats.readRow(weight, i, row);
      if (round == 0) {
        count(row, counts);
      } else {
        count(row, prefix, SHIFTS[round], WIDTHS[round], counts);
      }
    }
    return counts;
  }

  private static void count(float[] row, long[] counts) {
    for (float value : row) {
      counts[(Float.floatToRawIntBits(value) & Integer.MAX_VALUE) >>> SHIFTS[0]]++;
    }
  }

  /** Of those with the prefix; there are few of them. */
  private static void count(float[] row, int prefix, int shift, int width, long[] counts) {
    for (float value : row) {
      int bits = Float.floatToRawIntBits(value) & Integer.MAX_VALUE;
      if (bits >>> (shift + width) == prefix) {
        counts[(bits >>> shift) & ((1 << width) - 1)]++;
        counts[MORE] += shift > 0 && (bits & LOW_BITS) != 0 ? 1 : 0;
      }
    }
  }

  @Override
  public Next next(List<Finding> findings) {
    Map<String, List<Finding>> byPool =
        findings.stream().collect(Collectors.groupingBy(found -> pool(found.subject())));
    Map<String, Pool> found = new HashMap<>();
    boolean exact = round == SHIFTS.length - 1;
    double more = 0;
    for (Map.Entry<String, List<Finding>> pool : byPool.entrySet()) {
      double[] sums = new double[MORE + 1];
      pool.getValue().forEach(finding -> add(finding, sums));
      more += sums[MORE];
      found.put(pool.getKey(), narrowed(pool.getKey(), pool.getValue(), sums));
    }
    if (exact || (round == 1 && more == 0)) {
      return decided(findings, found);
    }
    return new Again(new MagnitudeSurvey(settings, round + 1, found));
  }

  private static void add(Finding finding, double[] sums) {
    for (int i = 0; i < finding.keys().length; i++) {
      sums[finding.keys()[i]] += finding.values()[i];
    }
  }

  private Pool narrowed(String name, List<Finding> findings, double[] sums) {
    double left =
        round == 0
            ? Math.floor(
                settings.amount().share()
                    * findings.stream().mapToDouble(f -> f.subject().weights()).sum())
            : pools.get(name).left();
    int bucket = 0;
    while (left > sums[bucket]) {
      left -= sums[bucket++];
    }
    int before = round == 0 ? 0 : pools.get(name).prefix() << WIDTHS[round];
    return new Pool(before | bucket, left);
  }

  /** Shares out what is left of each pool among its weights that equal the threshold. */
  private Decided decided(List<Finding> findings, Map<String, Pool> found) {
    Map<String, Double> left = new HashMap<>();
    found.forEach((name, pool) -> left.put(name, pool.left()));
    Map<Subject, Settings> settled = new HashMap<>();
    for (Finding finding : findings) {
      String name = pool(finding.subject());
      Pool pool = found.get(name);
      double equal = countOf(finding, pool.prefix() & ((1 << WIDTHS[round]) - 1));
      double ties = Math.min(equal, left.get(name));
      left.merge(name, -ties, Double::sum);
      float threshold = Float.intBitsToFloat(pool.prefix() << SHIFTS[round]);
      settled.put(finding.subject(), new MagnitudeCut(settings, threshold, (long) ties));
    }
    return new Decided(settled);
  }

  private static double countOf(Finding finding, int key) {
    int at = java.util.Arrays.binarySearch(finding.keys(), key);
    return at < 0 ? 0 : finding.values()[at];
  }
}
