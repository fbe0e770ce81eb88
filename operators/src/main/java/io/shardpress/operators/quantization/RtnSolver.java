package io.shardpress.operators.quantization;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Round-to-nearest, row by row. */
final class RtnSolver implements Solver {
  private final Rtn settings;
  private final Optional<InputStatistics> statistics;
  private final Arithmetic arithmetic;

  /** In which type the quotients are taken. */
  enum Arithmetic {
    /** F32 throughout: the default, and the better one. */
    F32,
    /** Rounded to the weight's type after each step, as compressed-tensors computes. */
    WEIGHT_TYPE
  }

  RtnSolver(Rtn settings, Optional<InputStatistics> statistics) {
    this(settings, statistics, Arithmetic.F32);
  }

  RtnSolver(Rtn settings, Optional<InputStatistics> statistics, Arithmetic arithmetic) {
    this.settings = settings;
    this.statistics = statistics;
    this.arithmetic = arithmetic;
  }

  @Override
  public LayerResult compress(String module, INDArray weight, DType weightType) {
    Scheme scheme = settings.scheme();
    scheme.check(module, Floats.columns(weight));
    ReportBuilder report = new ReportBuilder(Algorithm.RTN, weight);
    long nonFinite = WeightScan.nonFinite(weight);
    if (nonFinite > 0) {
      return report.without(WeightScan.outcome(settings.nonfinite(), module, nonFinite));
    }
    DType computeType = arithmetic == Arithmetic.F32 ? DType.F32 : weightType;
    GroupRange range =
        new GroupRange(
            scheme.grid(), settings.clip(), QuantizedWeight.scaleType(weightType), computeType);
    Rounding rounding = new Rounding(scheme.grid(), computeType);
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme,
            Floats.rows(weight),
            Floats.columns(weight),
            QuantizedWeight.neighbours(scheme.groupSize(), Floats.columns(weight)));
    round(weight, range, rounding, result);
    if (!result.scalesAreFinite()) {
      return report.without(Outcome.Failed.scale(module, QuantizedWeight.scaleType(weightType)));
    }
    QuantizedWeight quantized = result.finish();
    statistics.ifPresent(found -> addLosses(report, found, weight, quantized));
    return report
        .clipped(rounding.clipped())
        .with(new Outcome.Compressed(), quantized, WeightDistance.between(weight, quantized));
  }

  private static void round(
      INDArray weight, GroupRange range, Rounding rounding, QuantizedWeight.Assembly result) {
    int columns = result.scheme.groupSize().in(result.in);
    float[] row = new float[result.in];
    float[] group = new float[columns];
    for (int i = 0; i < result.out; i++) {
      Floats.readRow(weight, i, row);
      for (int g = 0; g < result.groups; g++) {
        System.arraycopy(row, g * columns, group, 0, columns);
        range.find(group, columns);
        result.put(i, g, range);
        int at = i * result.in + g * columns;
        rounding.group(group, columns, range.scale(), range.zeroPoint(), result.codes, at);
      }
    }
  }

  private static void addLosses(
      ReportBuilder report,
      InputStatistics statistics,
      INDArray weight,
      QuantizedWeight quantized) {
    report.statistics(statistics);
    if (statistics.gram().isPresent()) {
      try (QuadraticForm form = new QuadraticForm(statistics.gram().get())) {
        report.losses(form.loss(weight, quantized), form.energy(weight));
      }
    }
  }

  @Override
  public void close() {
    // nothing is held: the statistics are borrowed
  }
}
