package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.NotPositiveDefiniteException;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The factor of a damped Gram, {@code H = G_π + λI} with {@code λ = damping · Σ G_jj / n}, found by
 * climbing a ladder of dampings. Dead inputs get a diagonal of 1 before damping; λ counts them in n
 * but not in the sum, as the published code does.
 *
 * @param layout the visiting order π
 * @param dead {@code [n]} stored columns that no token excited
 * @param damping the relative damping that worked
 * @param lambda what it added to the diagonal
 * @param notes the rungs that failed, and a rank-deficient Gram
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record DampedFactor(
    ColumnLayout layout,
    boolean[] dead,
    double damping,
    double lambda,
    UpperFactor upper,
    List<String> notes)
    implements AutoCloseable {

  /**
   * A factor, or why there is none.
   *
   * @param notes the steps taken either way
   */
  record Attempt(
      Optional<DampedFactor> factor, Optional<Outcome.Failed> failure, List<String> notes) {}

  /** Orders, damps and factors the Gram of {@code statistics}, which stays unchanged. */
  static Attempt climb(
      Ladder ladder, ColumnOrder order, GroupSize groupSize, InputStatistics statistics) {
    Gram gram = statistics.gram().orElseThrow();
    int n = statistics.width();
    float[] diagonal = gram.diagonal();
    boolean[] dead = new boolean[n];
    int live = 0;
    double sum = 0;
    for (int j = 0; j < n; j++) {
      dead[j] = diagonal[j] == 0;
      live += dead[j] ? 0 : 1;
      sum += diagonal[j];
    }
    if (live == 0) {
      return failed(
          Outcome.Code.NO_TOKENS,
          "none of the %d calibration tokens excited input %s. Calibrate with more data"
              .formatted(statistics.tokens(), statistics.input()),
          List.of());
    }
    List<String> notes = new ArrayList<>();
    if (statistics.tokens() < live) {
      notes.add(
          "rank-deficient Gram: %d tokens for %d live inputs".formatted(statistics.tokens(), live));
    }
    ColumnLayout layout = ColumnLayout.of(order, groupSize, diagonal);
    DampedGram damped = new DampedGram(gram, layout, dead);
    INDArray matrix = Floats.uninitialized(n, n);
    Optional<DampedFactor> found = Optional.empty();
    try {
      for (double rung : ladder.factors()) {
        double damping = ladder.damping() * rung;
        double lambda = damping * sum / n;
        if (!damped.fill(lambda, matrix)) {
          return failed(
              Outcome.Code.NONFINITE_STATISTICS,
              "the Gram of %s holds NaN or infinities. Calibrate again"
                  .formatted(statistics.input()),
              List.of());
        }
        Optional<UpperFactor> upper = factor(matrix, damping, notes);
        if (upper.isPresent()) {
          found =
              Optional.of(
                  new DampedFactor(layout, dead, damping, lambda, upper.get(), List.copyOf(notes)));
          return new Attempt(found, Optional.empty(), notes);
        }
      }
    } finally {
      if (found.isEmpty()) {
        matrix.close();
      }
    }
    return failed(
        Outcome.Code.NOT_POSITIVE_DEFINITE,
        "no damping makes the Gram of %s positive definite (%s). Calibrate with more data, or raise damping"
            .formatted(statistics.input(), String.join("; ", notes)),
        notes);
  }

  /** The factor in the memory of {@code matrix}, or a note that says why there is none. */
  private static Optional<UpperFactor> factor(INDArray matrix, double damping, List<String> notes) {
    try {
      UpperFactor upper = UpperFactor.ofInverseReversed(matrix);
      if (pivotsAreUsable(upper)) {
        return Optional.of(upper);
      }
      notes.add("damping %s: a pivot is not finite".formatted(damping));
    } catch (NotPositiveDefiniteException e) {
      notes.add("damping %s: %s".formatted(damping, e.getMessage()));
    }
    return Optional.empty();
  }

  private static Attempt failed(Outcome.Code code, String why, List<String> notes) {
    return new Attempt(Optional.empty(), Optional.of(new Outcome.Failed(code, why)), notes);
  }

  private static boolean pivotsAreUsable(UpperFactor upper) {
    for (float pivot : Gram.diagonalOf(upper.matrix())) {
      if (!(pivot > 0 && Float.isFinite(pivot))) {
        return false;
      }
    }
    return true;
  }

  /** How a layer ends that was solved with this factor. */
  Outcome outcome(Ladder ladder) {
    return ladder.isFirst(damping) ? new Outcome.Compressed() : new Outcome.Recovered(damping);
  }

  /**
   * @throws InputException when a weight has other inputs than were observed
   */
  static void requireWidth(String module, INDArray weight, InputStatistics statistics) {
    if (Floats.columns(weight) != statistics.width()) {
      throw new InputException(
          "%s has %d inputs, but the statistics of %s have %d channels: they belong to another model. Calibrate again."
              .formatted(module, Floats.columns(weight), statistics.input(), statistics.width()));
    }
  }

  /** Zeroes the dead inputs of a row in stored order. */
  void clearDead(float[] row) {
    for (int j = 0; j < row.length; j++) {
      if (dead[j]) {
        row[j] = 0;
      }
    }
  }

  int deadInputs() {
    int count = 0;
    for (boolean isDead : dead) {
      count += isDead ? 1 : 0;
    }
    return count;
  }

  @Override
  public void close() {
    upper.close();
  }
}
