package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Products;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.GramTile;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.TileGrid.Place;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The refit of linears that read one input. */
final class RefitSolver implements Solver {
  private final Refit settings;
  private final Optional<InputStatistics> statistics;

  /** {@code [n, n]}, both triangles; none without statistics. */
  private final Optional<INDArray> gram;

  private final boolean owned;

  private RefitSolver(
      Refit settings,
      Optional<InputStatistics> statistics,
      Optional<INDArray> gram,
      boolean owned) {
    this.settings = settings;
    this.statistics = statistics;
    this.gram = gram;
    this.owned = owned;
  }

  static RefitSolver prepare(Refit settings, Optional<InputStatistics> statistics) {
    Optional<Gram> found = statistics.flatMap(InputStatistics::gram);
    if (statistics.isPresent() && found.isEmpty()) {
      throw new InputException(
          "refit needs the Gram of its input, and there is none. Calibrate with Grams, or leave the"
              + " step out.");
    }
    Optional<INDArray> inMemory = found.flatMap(Gram::matrix);
    return inMemory.isPresent() || found.isEmpty()
        ? new RefitSolver(settings, statistics, inMemory, false)
        : new RefitSolver(settings, statistics, Optional.of(whole(found.get())), true);
  }

  /** Puts a Gram together that is read by tiles. */
  private static INDArray whole(Gram gram) {
    INDArray whole = Floats.uninitialized(gram.width(), gram.width());
    try {
      for (Place place : gram.grid().places()) {
        try (GramTile tile = gram.tile(place)) {
          float[] row = new float[tile.columns()];
          for (int i = 0; i < tile.rows(); i++) {
            Floats.readRow(tile.values(), i, row);
            Floats.writeBlock(whole, tile.firstRow() + i, 1, tile.firstColumn(), row.length, row);
          }
        }
      }
    } catch (RuntimeException | Error e) {
      whole.close();
      throw e;
    }
    Products.mirrorUpper(whole);
    return whole;
  }

  @Override
  public LayerResult compress(LinearWeight weight) {
    ReportBuilder report = new ReportBuilder(Algorithm.REFIT, weight.dense());
    statistics.ifPresent(report::statistics);
    if (weight.before().isEmpty()) { // a layer that an earlier step had to leave
      return report.without(
          new Outcome.Copied("no step before the refit has changed %s".formatted(weight.module())));
    }
    CompressedWeight before = weight.before().get();
    if (gram.isEmpty()) {
      return report
          .notes(java.util.List.of("no token reached the input: nothing to fit to"))
          .with(new Outcome.Compressed(), before, WeightDistance.between(weight.dense(), before));
    }
    DampedFactor.requireWidth(weight.module(), weight.dense(), statistics.orElseThrow());
    return before instanceof QuantizedWeight codes
        ? descend(weight, codes, report)
        : fit(weight, before, report);
  }

  private LayerResult fit(LinearWeight weight, CompressedWeight before, ReportBuilder report) {
    float[] diagonal = Gram.diagonalOf(gram.orElseThrow());
    double sum = 0;
    for (float value : diagonal) {
      sum += value;
    }
    MaskedRefit refit =
        new MaskedRefit(
            settings.damping() * sum / diagonal.length,
            settings.iterations(),
            settings.tolerance());
    try (INDArray pruned = before.matrix();
        RefittedWeight found =
            refit.solve(weight.dense(), pruned, gram.orElseThrow(), weight.type())) {
      return end(
          weight,
          DenseWeight.of(found.weight(), weight.type()),
          OptionalDouble.of(found.loss()),
          report);
    }
  }

  private LayerResult descend(LinearWeight weight, QuantizedWeight codes, ReportBuilder report) {
    CodeDescent descent = new CodeDescent(settings.sweeps(), weight.zeros());
    QuantizedWeight found = descent.improve(weight.dense(), codes, gram.orElseThrow()).weight();
    return end(weight, found, OptionalDouble.empty(), report);
  }

  private LayerResult end(
      LinearWeight weight, CompressedWeight found, OptionalDouble known, ReportBuilder report) {
    QuadraticForm form = new QuadraticForm(statistics.orElseThrow().gram().orElseThrow());
    double loss = known.orElseGet(() -> form.loss(weight.dense(), found));
    report.losses(loss, form.energy(weight.dense()));
    return report.with(
        new Outcome.Compressed(), found, WeightDistance.between(weight.dense(), found));
  }

  @Override
  public void close() {
    if (owned) {
      gram.ifPresent(INDArray::close);
    }
  }
}
