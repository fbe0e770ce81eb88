package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Workers;
import java.util.List;
import java.util.Optional;

/**
 * SparseGPT's mask without a pattern: when the sweep reaches a block, a share of the scores {@code
 * (w/U_jj)²} of all its current weights, those up to the one of that rank, become zero; of equal
 * ones the first, by row and column. Zeros of an earlier mask come before anything else, all of
 * them.
 */
final class BlockMask implements BlockRule {
  private static final int ROWS = Panel.ROWS;
  private static final int STRIP = 32;

  private final double share;
  private final List<Optional<ZeroMask>> zeros;
  private final float[][][] scores;
  private int first;
  private float threshold;

  /**
   * @param zeros by panel, those of an earlier mask, if any
   * @param widest columns of the largest block
   */
  BlockMask(double share, List<Optional<ZeroMask>> zeros, int widest) {
    this.share = share;
    this.zeros = zeros;
    scores = new float[zeros.size()][widest][ROWS];
  }

  @Override
  public void begin(List<Panel> panels, int from, float[][] upper) {
    first = from;
    Workers.forEach(panels.size(), index -> score(panels.get(index), from, upper));
    Quantile.Place place = new Quantile(panels, scores, upper.length).at(share);
    threshold = place.score();
    if (place.ties() < place.equal()) {
      spare(panels, upper.length, place.ties());
    }
  }

  /** Lifts the scores that equal the threshold above it, but for the first {@code ties}. */
  private void spare(List<Panel> panels, int columns, long ties) {
    long left = ties;
    for (Panel panel : panels) {
      float[][] block = scores[panel.index()];
      for (int r = 0; r < panel.rows(); r++) {
        for (int j = 0; j < columns; j++) {
          if (block[j][r] == threshold && left-- <= 0) {
            block[j][r] = Float.POSITIVE_INFINITY;
          }
        }
      }
    }
  }

  private void score(Panel panel, int from, float[][] upper) {
    float[][] weights = new float[STRIP][ROWS];
    float[][] into = scores[panel.index()];
    for (int done = 0; done < upper.length; done += STRIP) {
      int count = Math.min(STRIP, upper.length - done);
      panel.read(from + done, count, weights);
      for (int j = 0; j < count; j++) {
        float[] row = into[done + j];
        PatternMask.square(weights[j], 1 / upper[done + j][done + j], row);
        int column = from + done + j;
        zeros.get(panel.index()).ifPresent(mask -> mask.forEach(column, r -> row[r] = -1));
      }
    }
  }

  /** The mask as a panel's rule asks for it, of the block that the sweep is in. */
  Mask of(Panel panel) {
    float[] mask = new float[ROWS];
    return (column, strip, index) -> {
      above(scores[panel.index()][column - first], threshold, mask);
      return mask;
    };
  }

  private static void above(float[] scores, float threshold, float[] mask) {
    for (int r = 0; r < mask.length; r++) {
      mask[r] = scores[r] > threshold ? 1 : 0;
    }
  }
}
