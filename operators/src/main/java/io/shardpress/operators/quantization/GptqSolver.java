package io.shardpress.operators.quantization;

import io.shardpress.common.error.InputException;
import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** GPTQ on the linears that read one input: one factor, any number of weights or row slices. */
final class GptqSolver implements Solver {
  private final Gptq settings;
  private final InputStatistics statistics;
  private final DampedFactor.Attempt attempt;
  private final QuadraticForm form;

  private GptqSolver(Gptq settings, InputStatistics statistics, DampedFactor.Attempt attempt) {
    this.settings = settings;
    this.statistics = statistics;
    this.attempt = attempt;
    this.form = new QuadraticForm(statistics.gram().orElseThrow());
  }

  static GptqSolver prepare(Gptq settings, InputStatistics statistics) {
    return new GptqSolver(settings, statistics, DampedFactor.climb(settings, statistics));
  }

  @Override
  public LayerResult compress(String module, INDArray weight, DType weightType) {
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
    if (!rows.result().scalesAreFinite()) {
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
    report.losses(layerLoss(errors, weight, quantized, factor), form.energy(weight));
    boolean first = factor.damping() == settings.damping() * settings.dampingLadder().get(0);
    return report.with(
        first ? new Outcome.Compressed() : new Outcome.Recovered(factor.damping()), quantized);
  }

  /** Solves all rows with one way of finding ranges. */
  private SweptRows sweep(INDArray weight, DType scaleType, Clip clip, DampedFactor factor) {
    Scheme scheme = settings.scheme();
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme, Floats.rows(weight), Floats.columns(weight), factor.layout().groupOfColumn());
    GroupRange range = new GroupRange(scheme.grid(), clip, scaleType, DType.F32);
    Rounding rounding = new Rounding(scheme.grid());
    List<Panel> panels = new ArrayList<>();
    try {
      fillPanels(weight, factor, panels);
      GridRule rule;
      if (scalesFromSweep()) {
        rule = GridRule.findingScales(result, factor.layout(), rounding, range);
      } else {
        findScales(weight, factor, range, result);
        rule = GridRule.withScales(result, factor.layout(), rounding, range);
      }
      int group = scalesFromSweep() ? scheme.groupSize().in(result.in) : 0;
      int[] blocks = ColumnSweep.blocks(result.in, settings.blockSize(), group);
      double[][] errors = ColumnSweep.run(panels, factor.upper(), blocks, rule);
      return SweptRows.of(result, errors, rule);
    } finally {
      panels.forEach(Panel::close);
    }
  }

  /**
   * {@code tr(Δ G Δᵀ) = Σe² − λ‖Δ‖²}, with dead inputs out of Δ as they are out of G: exact, and
   * free, where the product would cost twice the sweep.
   */
  private static double layerLoss(
      double errors, INDArray weight, QuantizedWeight quantized, DampedFactor factor) {
    float[] dense = new float[quantized.in()];
    float[] rounded = new float[quantized.in()];
    double squares = 0;
    for (int i = 0; i < quantized.out(); i++) {
      Floats.readRow(weight, i, dense);
      clearDead(dense, factor.dead());
      quantized.dequantizeRow(i, rounded);
      squares += ReportBuilder.squaredDistance(dense, rounded);
    }
    return Math.max(0, errors - factor.lambda() * squares);
  }

  private boolean scalesFromSweep() {
    return settings.effectiveScaleSource() == ScaleSource.UPDATED
        && !settings.groupSize().isChannel();
  }

  /** Rows in visiting order, dead inputs zeroed. */
  private static void fillPanels(INDArray weight, DampedFactor factor, List<Panel> panels) {
    int out = Floats.rows(weight);
    int in = Floats.columns(weight);
    float[] row = new float[in];
    for (int first = 0; first < out; first += Panel.ROWS) {
      int rows = Math.min(Panel.ROWS, out - first);
      float[] values = new float[Panel.ROWS * in];
      for (int i = 0; i < rows; i++) {
        Floats.readRow(weight, first + i, row);
        clearDead(row, factor.dead());
        factor.layout().toVisited(row, 0, values, i * in);
      }
      panels.add(new Panel(panels.size(), rows, Floats.of(values, Panel.ROWS, in)));
    }
  }

  private static void clearDead(float[] row, boolean[] dead) {
    for (int j = 0; j < row.length; j++) {
      if (dead[j]) {
        row[j] = 0;
      }
    }
  }

  /** Scales of the weights before the sweep. */
  private void findScales(
      INDArray weight, DampedFactor factor, GroupRange range, QuantizedWeight.Assembly result) {
    boolean withDead = settings.effectiveScaleSource() == ScaleSource.UPDATED;
    boolean inVisitingOrder = result.scheme.order() == ColumnOrder.GROUP;
    int columns = result.scheme.groupSize().in(result.in);
    float[] row = new float[result.in];
    float[] visited = new float[result.in];
    float[] group = new float[columns];
    for (int i = 0; i < result.out; i++) {
      Floats.readRow(weight, i, row);
      if (!withDead) {
        clearDead(row, factor.dead());
      }
      if (inVisitingOrder) {
        factor.layout().toVisited(row, 0, visited, 0);
      }
      for (int g = 0; g < result.groups; g++) {
        System.arraycopy(inVisitingOrder ? visited : row, g * columns, group, 0, columns);
        range.find(group, columns);
        result.put(i, g, range);
      }
    }
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
    form.close();
  }
}
