package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * GPTQ on the linears that read one input: one factor, any number of weights or row slices. A Gram
 * that is not in memory is read to factor it, and not again unless a layer falls back.
 */
final class GptqSolver implements Solver {
  private final Gptq settings;
  private final InputStatistics statistics;
  private final DampedFactor.Attempt attempt;

  private GptqSolver(Gptq settings, InputStatistics statistics, DampedFactor.Attempt attempt) {
    this.settings = settings;
    this.statistics = statistics;
    this.attempt = attempt;
  }

  static GptqSolver prepare(Gptq settings, InputStatistics statistics) {
    return new GptqSolver(
        settings,
        statistics,
        DampedFactor.climb(settings.ladder(), settings.order(), settings.groupSize(), statistics));
  }

  /** Every step reads all weights: they are widened once. */
  @Override
  public LayerResult compress(LinearWeight weight) {
    return weight.currentFloats(current -> compressFloats(weight.module(), current, weight.type()));
  }

  private LayerResult compressFloats(String module, INDArray weight, DType weightType) {
    DampedFactor.requireWidth(module, weight, statistics);
    settings.scheme().check(module, Floats.columns(weight));
    ReportBuilder report =
        new ReportBuilder(Algorithm.GPTQ, weight).statistics(statistics).notes(attempt.notes());
    long nonFinite = WeightScan.nonFinite(weight);
    if (nonFinite > 0) {
      return report.without(WeightScan.outcome(settings.nonfinite(), module, nonFinite));
    }
    if (attempt.failure().isPresent()) {
      return unsolved(module, weight, weightType, attempt.failure().get(), report);
    }
    return solve(module, weight, weightType, attempt.factor().orElseThrow(), report);
  }

  private LayerResult solve(
      String module, INDArray weight, DType weightType, DampedFactor factor, ReportBuilder report) {
    DType scaleType = QuantizedWeight.scaleType(weightType);
    SweptRows rows =
        settings.clip().candidates().stream()
            .map(clip -> sweep(weight, scaleType, clip, factor))
            .reduce(SweptRows::better)
            .orElseThrow();
    report.deadInputs(factor.deadInputs()).damping(factor.damping()).clipped(rows.clippedWeights());
    if (!rows.result().valuesFit(scaleType)) {
      return report.without(Outcome.Failed.scale(module, scaleType));
    }
    double errors = rows.error();
    if (!Double.isFinite(errors)) {
      Outcome.Failed failure =
          new Outcome.Failed(
              Outcome.Code.NONFINITE_RESULT,
              "the sweep of %s left the range of F32. Raise damping".formatted(module));
      return unsolved(module, weight, weightType, failure, report);
    }
    QuantizedWeight quantized = rows.result().finish();
    WeightDistance distance = WeightDistance.between(weight, quantized);
    SweepLoss loss = new SweepLoss(statistics, factor, settings.blockSize());
    report.losses(
        loss.undamped(errors, distance.byColumn()), loss.energy(weight, distance.energyByColumn()));
    return report.with(factor.outcome(settings.ladder()), quantized, distance);
  }

  /** Solves all rows with one way of finding ranges. */
  private SweptRows sweep(INDArray weight, DType scaleType, Clip clip, DampedFactor factor) {
    Scheme scheme = settings.scheme();
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme, Floats.rows(weight), Floats.columns(weight), factor.layout().groupOfColumn());
    PanelGrids grids = new PanelGrids(weight, factor, settings.effectiveScaleSource(), result);
    return new PanelFiller(weight, factor)
        .onPanels(
            panels -> {
              GridRule[] grid = new GridRule[panels.size()];
              ColumnRule[] rules = new ColumnRule[panels.size()];
              Workers.forEach(
                  rules.length,
                  index -> {
                    Panel panel = panels.get(index);
                    grid[index] = grids.rule(panel, clip, scaleType);
                    rules[index] = keepingZeros(panel, grid[index]);
                  });
              int group = grids.scalesFromSweep() ? scheme.groupSize().in(result.in) : 0;
              int[] blocks = ColumnSweep.blocks(result.in, settings.blockSize(), group);
              double[][] errors =
                  ColumnSweep.run(panels, List.of(rules), factor.upper(), blocks, group);
              Workers.forEach(rules.length, index -> grid[index].finish(panels.get(index)));
              return SweptRows.of(result, errors, List.of(grid));
            });
  }

  /** What a step before has pruned stays so. */
  private static ColumnRule keepingZeros(Panel panel, GridRule grid) {
    ZeroMask zeros = ZeroMask.of(panel);
    return zeros.isEmpty() ? grid : new MaskedGridRule(zeros, grid);
  }

  private LayerResult unsolved(
      String module,
      INDArray weight,
      DType weightType,
      Outcome.Failed failure,
      ReportBuilder report) {
    return switch (settings.fallback()) {
      case FAIL ->
          report.without(
              new Outcome.Failed(
                  failure.code(),
                  "%s: %s, or set fallback = rtn.".formatted(module, failure.why())));
      case RTN -> {
        try (Solver rtn = settings.withoutStatistics().prepare(Optional.of(statistics))) {
          yield rtn.compress(module, weight, weightType)
              .fellBack(Algorithm.RTN.key(), failure.why(), attempt.notes());
        }
      }
    };
  }

  @Override
  public void close() {
    attempt.factor().ifPresent(DampedFactor::close);
  }
}
