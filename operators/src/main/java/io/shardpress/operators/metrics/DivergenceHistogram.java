package io.shardpress.operators.metrics;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Counts of per-token divergences in bins of equal ratio, from which quantiles follow to within a
 * bin (2 %), plus the exact maximum. Counts add, so windows merge in any order.
 */
public record DivergenceHistogram(int firstBin, List<Long> counts, double maximum)
    implements Serializable {
  /** Bins per factor e. */
  private static final double RESOLUTION = 50;

  private static final double SMALLEST = 1e-12;

  private static int bin(double divergence) {
    return (int) Math.floor(RESOLUTION * Math.log(Math.max(divergence, SMALLEST)));
  }

  /** The divergence below which a {@code share} in (0, 1) of the tokens lies; 0 when empty. */
  public double quantile(double share) {
    long total = counts.stream().mapToLong(Long::longValue).sum();
    long seen = 0;
    for (int i = 0; i < counts.size(); i++) {
      seen += counts.get(i);
      if (seen >= share * total) {
        return Math.min(maximum, Math.exp((firstBin + i + 0.5) / RESOLUTION));
      }
    }
    return maximum;
  }

  /** The sum of several histograms. */
  public static DivergenceHistogram merge(List<DivergenceHistogram> parts) {
    Builder sum = new Builder();
    for (DivergenceHistogram part : parts) {
      for (int i = 0; i < part.counts.size(); i++) {
        sum.count(part.firstBin + i, part.counts.get(i));
      }
      sum.maximum = Math.max(sum.maximum, part.maximum);
    }
    return sum.build();
  }

  static final class Builder {
    private static final int LOWEST = bin(SMALLEST);
    private long[] counts = new long[64];
    private double maximum;

    void add(double divergence) {
      count(bin(divergence), 1);
      maximum = Math.max(maximum, divergence);
    }

    private void count(int bin, long times) {
      int index = bin - LOWEST;
      if (index >= counts.length) {
        counts = Arrays.copyOf(counts, Math.max(index + 1, 2 * counts.length));
      }
      counts[index] += times;
    }

    DivergenceHistogram build() {
      int from = 0;
      int to = counts.length;
      while (to > 0 && counts[to - 1] == 0) {
        to--;
      }
      while (from < to && counts[from] == 0) {
        from++;
      }
      List<Long> used = Arrays.stream(counts, from, to).boxed().toList();
      return new DivergenceHistogram(LOWEST + from, used, maximum);
    }
  }
}
