package io.shardpress.operators.compression;

import io.shardpress.operators.compression.Survey.Again;
import io.shardpress.operators.compression.Survey.Decided;
import io.shardpress.operators.compression.Survey.Next;
import io.shardpress.operators.compression.Survey.Subject;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Magnitude pruning; a linear whose threshold no survey has found is surveyed by itself. */
final class MagnitudeSolver implements Solver {
  private static final int PART = 64;

  private final Magnitude settings;
  private final Optional<InputStatistics> statistics;
  private final Optional<MagnitudeCut> cut;

  MagnitudeSolver(Magnitude settings, Optional<InputStatistics> statistics) {
    this(settings, statistics, Optional.empty());
  }

  MagnitudeSolver(Magnitude settings, Optional<InputStatistics> statistics, MagnitudeCut cut) {
    this(settings, statistics, Optional.of(cut));
  }

  private MagnitudeSolver(
      Magnitude settings, Optional<InputStatistics> statistics, Optional<MagnitudeCut> cut) {
    this.settings = settings;
    this.statistics = statistics;
    this.cut = cut;
  }

  @Override
  public LayerResult compress(LinearWeight weight) {
    int in = Floats.columns(weight.dense());
    Sparsity amount = settings.amount();
    amount.check(in);
    ScorePruning pruning =
        new ScorePruning(Algorithm.MAGNITUDE, Optional.empty(), statistics, settings.nonfinite());
    if (amount instanceof Pattern || settings.scope() == Magnitude.Scope.ROW) {
      return pruning.prune(weight, () -> Selection.inRows(amount, in));
    }
    return weight.current(
        current -> {
          MagnitudeCut found = cut.orElseGet(() -> alone(weight.module(), current));
          int[] ties = ties(current, found);
          return pruning.prune(weight, () -> Selection.below(found.threshold(), ties));
        });
  }

  /** The threshold of a linear for itself. */
  private MagnitudeCut alone(String module, INDArray weight) {
    int out = Floats.rows(weight);
    Subject subject = new Subject(module, 0, 0, out, out, Floats.columns(weight));
    MagnitudeSurvey survey = MagnitudeSurvey.of(settings);
    while (true) {
      Next next = survey.next(List.of(survey.look(subject, weight, statistics)));
      if (next instanceof Decided decided) {
        return (MagnitudeCut) decided.settings().get(subject);
      }
      survey = (MagnitudeSurvey) ((Again) next).survey();
    }
  }

  /** How many of the weights that equal the threshold each row loses: those of the first rows. */
  private static int[] ties(INDArray weight, MagnitudeCut cut) {
    int out = Floats.rows(weight);
    int[] ties = new int[out];
    if (cut.ties() == 0) {
      return ties;
    }
    Workers.forEach(
        (out + PART - 1) / PART,
        part -> {
          float[] row = new float[Floats.columns(weight)];
          for (int i = part * PART; i < Math.min(out, (part + 1) * PART); i++) {
            Floats.readRow(weight, i, row);
            for (float value : row) {
              ties[i] += Math.abs(value) == cut.threshold() ? 1 : 0;
            }
          }
        });
    long left = cut.ties();
    for (int i = 0; i < out; i++) {
      ties[i] = (int) Math.min(left, ties[i]);
      left -= ties[i];
    }
    return ties;
  }

  @Override
  public void close() {
    // nothing is held
  }
}
