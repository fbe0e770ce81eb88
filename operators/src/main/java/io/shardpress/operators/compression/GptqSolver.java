package io.shardpress.operators.compression;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Arrays;
import java.util.Collections;
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
    return new GptqSolver(settings, statistics, DampedFactor.climb(settings, statistics));
  }

  /** Every step reads all weights: they are widened once. */
  @Override
  public LayerResult compress(String module, INDArray weight, DType weightType) {
    if (!BFloats.isBf16(weight)) {
      return compressFloats(module, weight, weightType);
    }
    try (INDArray wide = BFloats.widened(weight)) {
      return compressFloats(module, wide, weightType);
    }
  }

  private LayerResult compressFloats(String module, INDArray weight, DType weightType) {
    if (Floats.columns(weight) != statistics.width()) {
      throw new InputException(
          "%s has %d inputs, but the statistics of %s have %d channels: they belong to another model. Calibrate again."
              .formatted(module, Floats.columns(weight), statistics.input(), statistics.width()));
    }
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
    report.losses(
        undamped(errors, distance.byColumn(), factor),
        energy(weight, rows.result(), distance, factor));
    boolean first = factor.damping() == settings.damping() * settings.dampingLadder().get(0);
    return report.with(
        first ? new Outcome.Compressed() : new Outcome.Recovered(factor.damping()),
        quantized,
        distance);
  }

  /** Solves all rows with one way of finding ranges. */
  private SweptRows sweep(INDArray weight, DType scaleType, Clip clip, DampedFactor factor) {
    Scheme scheme = settings.scheme();
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme, Floats.rows(weight), Floats.columns(weight), factor.layout().groupOfColumn());
    PanelFiller filler = new PanelFiller(settings, weight, factor, result);
    return filler.onPanels(
        panels -> {
          GridRule[] rules = new GridRule[panels.size()];
          Workers.forEach(
              rules.length,
              index -> rules[index] = filler.rule(panels.get(index), clip, scaleType));
          int group = filler.scalesFromSweep() ? scheme.groupSize().in(result.in) : 0;
          int[] blocks = ColumnSweep.blocks(result.in, settings.blockSize(), group);
          double[][] errors =
              ColumnSweep.run(panels, List.of(rules), factor.upper(), blocks, group);
          Workers.forEach(rules.length, index -> rules[index].finish(panels.get(index)));
          return SweptRows.of(result, errors, List.of(rules));
        });
  }

  /**
   * {@code tr(W G Wᵀ)}. Where the Gram is not in memory it is the loss of a sweep that rounds every
   * weight to zero, which needs the factor alone.
   */
  private double energy(
      INDArray weight,
      QuantizedWeight.Assembly result,
      WeightDistance distance,
      DampedFactor factor) {
    Gram gram = statistics.gram().orElseThrow();
    if (gram.matrix().isPresent()) {
      return new QuadraticForm(gram).energy(weight);
    }
    ColumnRule zeros = (panel, column, values, chosen) -> Arrays.fill(chosen, 0);
    double[][] errors =
        new PanelFiller(settings, weight, factor, result)
            .onPanels(
                panels ->
                    ColumnSweep.run(
                        panels,
                        Collections.nCopies(panels.size(), zeros),
                        factor.upper(),
                        ColumnSweep.blocks(result.in, settings.blockSize(), 0),
                        0));
    double sum = Arrays.stream(errors).flatMapToDouble(Arrays::stream).sum();
    return undamped(sum, distance.energyByColumn(), factor);
  }

  /**
   * {@code tr(Δ G Δᵀ) = Σe² − λ‖Δ‖²}, with dead inputs out of Δ as they are out of G: exact, and
   * free, where the product would cost twice the sweep. A dead input is swept as zero and costs
   * nothing.
   *
   * @param byColumn {@code Σ Δ²} of each column
   */
  private static double undamped(double errors, double[] byColumn, DampedFactor factor) {
    double squares = 0;
    for (int j = 0; j < byColumn.length; j++) {
      squares += factor.dead()[j] ? 0 : byColumn[j];
    }
    return Math.max(0, errors - factor.lambda() * squares);
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
