package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;

/** Wanda on the linears that read one input. */
final class WandaSolver implements Solver {
  private final Wanda settings;
  private final InputStatistics statistics;
  private final float[] norms;

  WandaSolver(Wanda settings, InputStatistics statistics) {
    this.settings = settings;
    this.statistics = statistics;
    norms = norms(statistics);
  }

  /** {@code sqrt(Σ x²)} of every channel, as F32. */
  static float[] norms(InputStatistics statistics) {
    float[] norms = new float[statistics.width()];
    for (int j = 0; j < norms.length; j++) {
      norms[j] = (float) Math.sqrt(statistics.sumSquares()[j]);
    }
    return norms;
  }

  @Override
  public LayerResult compress(LinearWeight weight) {
    DampedFactor.requireWidth(weight.module(), weight.dense(), statistics);
    int in = Floats.columns(weight.dense());
    settings.amount().check(in);
    return new ScorePruning(
            Algorithm.WANDA, Optional.of(norms), Optional.of(statistics), settings.nonfinite())
        .prune(weight, () -> Selection.inRows(settings.amount(), in));
  }

  @Override
  public void close() {
    // nothing is held: the statistics are borrowed
  }
}
