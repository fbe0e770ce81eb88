package io.shardpress.operators.quantization;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.NotPositiveDefiniteException;
import io.shardpress.operators.linalg.UpperFactor;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
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

  /** Rows of a matrix that one worker copies at a time. */
  private static final int ROWS = 256;

  /**
   * A factor, or why there is none.
   *
   * @param notes the steps taken either way
   */
  record Attempt(
      Optional<DampedFactor> factor, Optional<Outcome.Failed> failure, List<String> notes) {}

  /** Orders, damps and factors the Gram of {@code statistics}, which stays unchanged. */
  static Attempt climb(Gptq settings, InputStatistics statistics) {
    INDArray gram = statistics.gram().orElseThrow();
    int n = statistics.width();
    float[] diagonal = diagonal(gram);
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
    ColumnLayout layout = ColumnLayout.of(settings.order(), settings.groupSize(), diagonal);
    for (double rung : settings.dampingLadder()) {
      double damping = settings.damping() * rung;
      double lambda = damping * sum / n;
      try (INDArray reversed = Floats.uninitialized(n, n)) {
        if (!fillDamped(gram, layout, dead, lambda, reversed)) {
          return failed(
              Outcome.Code.NONFINITE_STATISTICS,
              "the Gram of %s holds NaN or infinities. Calibrate again"
                  .formatted(statistics.input()),
              List.of());
        }
        UpperFactor upper = UpperFactor.ofInverseReversed(reversed);
        if (pivotsAreUsable(upper)) {
          DampedFactor factor = new DampedFactor(layout, dead, damping, lambda, upper, notes);
          return new Attempt(Optional.of(factor), Optional.empty(), notes);
        }
        upper.close();
        notes.add("damping %s: a pivot is not finite".formatted(damping));
      } catch (NotPositiveDefiniteException e) {
        notes.add("damping %s: %s".formatted(damping, e.getMessage()));
      }
    }
    return failed(
        Outcome.Code.NOT_POSITIVE_DEFINITE,
        "no damping makes the Gram of %s positive definite (%s). Calibrate with more data, or raise damping"
            .formatted(statistics.input(), String.join("; ", notes)),
        notes);
  }

  private static Attempt failed(Outcome.Code code, String why, List<String> notes) {
    return new Attempt(Optional.empty(), Optional.of(new Outcome.Failed(code, why)), notes);
  }

  private static float[] diagonal(INDArray gram) {
    float[] diagonal = new float[Floats.rows(gram)];
    float[] element = new float[1];
    for (int i = 0; i < diagonal.length; i++) {
      Floats.readBlock(gram, i, 1, i, 1, element);
      diagonal[i] = element[0];
    }
    return diagonal;
  }

  /**
   * Puts the lower triangle of the damped Gram, in the reversed visiting order that the
   * factorization wants, into {@code into [n, n]}.
   *
   * @return whether all of the Gram is finite
   */
  private static boolean fillDamped(
      INDArray gram, ColumnLayout layout, boolean[] dead, double lambda, INDArray into) {
    int n = dead.length;
    int[] reversed = new int[n];
    for (int place = 0; place < n; place++) {
      reversed[place] = layout.storedColumn(n - 1 - place);
    }
    AtomicBoolean finite = new AtomicBoolean(true);
    Workers.forEach(
        (n + ROWS - 1) / ROWS,
        part -> {
          float[] stored = new float[n];
          float[] row = new float[n];
          float notANumber = 0;
          for (int i = part * ROWS; i < Math.min(n, (part + 1) * ROWS); i++) {
            Floats.readRow(gram, reversed[i], stored);
            for (int j = 0; j <= i; j++) {
              row[j] = stored[reversed[j]];
              notANumber += row[j] * 0;
            }
            row[i] = (float) ((dead[reversed[i]] ? 1 : (double) row[i]) + lambda);
            Floats.writeBlock(into, i, 1, 0, i + 1, row);
          }
          if (notANumber != 0) { // NaN: zero times NaN or an infinity
            finite.set(false);
          }
        });
    return finite.get();
  }

  private static boolean pivotsAreUsable(UpperFactor upper) {
    int n = Floats.rows(upper.matrix());
    float[] pivot = new float[1];
    for (int j = 0; j < n; j++) {
      Floats.readBlock(upper.matrix(), j, 1, j, 1, pivot);
      if (!(pivot[0] > 0 && Float.isFinite(pivot[0]))) {
        return false;
      }
    }
    return true;
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
