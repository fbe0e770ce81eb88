package io.shardpress.operators.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The masks of scores, against sorting by score and index. */
class SelectionTest {
  private static final long SEED = 4711;
  private static final int[] SIZES = {1, 2, 3, 4, 8, 13, 31, 32, 100, 257, 1024, 4098};

  /** How scores are spread: none, few and many of them are equal. */
  private enum Kind {
    DIFFERENT,
    FEW_VALUES,
    EQUAL,
    ZEROS,
    EXTREME;

    float[] scores(long seed, int n) {
      Random random = new Random(seed);
      float[] scores = new float[n];
      for (int i = 0; i < n; i++) {
        scores[i] =
            switch (this) {
              case DIFFERENT -> Math.abs((float) random.nextGaussian());
              case FEW_VALUES -> random.nextInt(4) * 0.25f;
              case EQUAL -> 0.7f;
              case ZEROS -> 0;
              case EXTREME ->
                  List.of(0f, Float.MIN_VALUE, 1e-40f, 1f, Float.MAX_VALUE, Float.POSITIVE_INFINITY)
                      .get(random.nextInt(6));
            };
      }
      return scores;
    }
  }

  private static float[] sorted(float[] scores, int from, int n, int k) {
    float[] mask = new float[n];
    java.util.Arrays.fill(mask, 1);
    IntStream.range(0, n)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> scores[from + i]).thenComparing(i -> i))
        .limit(k)
        .forEach(i -> mask[i] = 0);
    return mask;
  }

  @Test
  void theSmallestAreThoseThatSortFirst() {
    Smallest smallest = new Smallest(); // one for all, as a thread has it
    for (Kind kind : Kind.values()) {
      for (int n : SIZES) {
        float[] scores = kind.scores(SEED + n, n);
        for (int k : new int[] {0, 1, n / 3, n / 2, n - 1, n}) {
          float[] mask = new float[n];
          java.util.Arrays.fill(mask, 9);
          smallest.mask(scores, n, k, mask);
          assertThat(mask)
              .as("seed %d: %d of %d, %s", SEED + n, k, n, kind)
              .isEqualTo(sorted(scores, 0, n, k));
        }
      }
    }
  }

  @Test
  void everyGroupLosesItsSmallest() {
    for (Kind kind : Kind.values()) {
      for (int of = 2; of <= 32; of++) {
        for (int kept : new int[] {1, of / 2, of - 1}) {
          int in = 7 * of;
          float[] scores = kind.scores(SEED + of, in);
          float[] mask = new float[in];
          Selection.inRows(new Pattern(kept, of), in).select(5, scores, mask);
          for (int from = 0; from < in; from += of) {
            assertThat(java.util.Arrays.copyOfRange(mask, from, from + of))
                .as("seed %d: %d:%d from %d on, %s", SEED + of, kept, of, from, kind)
                .isEqualTo(sorted(scores, from, of, of - kept));
          }
        }
      }
    }
  }

  /** Where a share is no whole number of weights, rows take turns. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.001, 0.1, 0.29, 1 / 3.0, 0.5, 0.77, 0.995})
  void rowsTogetherLoseTheShare(double share) {
    for (int in : new int[] {1, 7, 100, 333}) {
      int rows = 257;
      Selection selection = Selection.inRows(new Sparsity.Share(share), in);
      float[] scores = Kind.DIFFERENT.scores(SEED, in);
      float[] mask = new float[in];
      int zeros = 0;
      for (int row = 0; row < rows; row++) {
        selection.select(row, scores, mask);
        int lost = (int) IntStream.range(0, in).filter(j -> mask[j] == 0).count();
        assertThat(lost)
            .as("row %d of %d", row, in)
            .isBetween((int) (share * in), (int) Math.ceil(share * in));
        assertThat(mask).isEqualTo(sorted(scores, 0, in, lost));
        zeros += lost;
      }
      assertThat((double) zeros).isCloseTo(share * rows * in, within(1.0));
    }
  }

  @Test
  void ofWhatEqualsAThresholdTheFirstAreLost() {
    float[] scores = {3, 1, 2, 2, 0, 2, 4};
    float[] mask = new float[scores.length];
    Selection selection = Selection.below(2, new int[] {0, 2, 3});
    selection.select(0, scores, mask);
    assertThat(mask).containsExactly(1, 0, 1, 1, 0, 1, 1);
    selection.select(1, scores, mask);
    assertThat(mask).containsExactly(1, 0, 0, 0, 0, 1, 1);
    selection.select(2, scores, mask);
    assertThat(mask).containsExactly(1, 0, 0, 0, 0, 0, 1);
  }
}
