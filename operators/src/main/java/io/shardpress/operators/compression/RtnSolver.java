package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.BFloats;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Round-to-nearest, row by row. */
final class RtnSolver implements Solver {
  /** Weights that a thread rounds at a time. */
  private static final int PART_ELEMENTS = 1 << 20;

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
  public LayerResult compress(LinearWeight weight) {
    return weight.current(current -> compressCurrent(weight.module(), current, weight.type()));
  }

  private LayerResult compressCurrent(String module, INDArray weight, DType weightType) {
    Scheme scheme = settings.scheme();
    int in = Floats.columns(weight);
    scheme.check(module, in);
    ReportBuilder report = new ReportBuilder(Algorithm.RTN, weight);
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme, Floats.rows(weight), in, QuantizedWeight.neighbours(scheme.groupSize(), in));
    RtnRows.Sums sums = round(weight, weightType, result);
    if (!sums.finite()) {
      return report.without(
          WeightScan.outcome(settings.nonfinite(), module, WeightScan.nonFinite(weight)));
    }
    if (!result.valuesFit(QuantizedWeight.scaleType(weightType))) {
      return report.without(Outcome.Failed.scale(module, QuantizedWeight.scaleType(weightType)));
    }
    QuantizedWeight quantized = result.finish();
    statistics.ifPresent(found -> addLosses(report, found, weight, quantized));
    report.clipped(sums.clipped());
    return report.with(new Outcome.Compressed(), quantized, sums.error(), sums.energy());
  }

  private RtnRows.Sums round(INDArray weight, DType weightType, QuantizedWeight.Assembly result) {
    int columns = result.in / result.groups;
    boolean pairsSpanGroups = result.groups > 1 && columns % 2 == 1;
    if (BFloats.isBf16(weight) && pairsSpanGroups) {
      try (INDArray wide = BFloats.widened(weight)) {
        return round(wide, weightType, result);
      }
    }
    int rows = Math.max(1, PART_ELEMENTS / result.in);
    RtnRows.Sums[] sums = new RtnRows.Sums[(result.out + rows - 1) / rows];
    Workers.forEach(
        sums.length,
        part -> {
          int first = part * rows;
          int count = Math.min(rows, result.out - first);
          sums[part] =
              rounder(BFloats.isBf16(weight) ? 2 : 1, weightType, result)
                  .round(Floats.bytes(weight, first, count), first, count);
        });
    return RtnRows.Sums.of(sums);
  }

  private RtnRows rounder(int laneCount, DType weightType, QuantizedWeight.Assembly result) {
    Grid grid = result.scheme.grid();
    DType computeType = arithmetic == Arithmetic.F32 ? DType.F32 : weightType;
    DType scaleType = QuantizedWeight.scaleType(weightType);
    GroupLanes lanes = new GroupLanes(laneCount, grid, result.in / result.groups, result.in);
    return new RtnRows(
        result,
        lanes,
        new LaneRounding(grid, computeType, lanes),
        new GroupRange(grid, settings.clip(), scaleType, computeType));
  }

  private static void addLosses(
      ReportBuilder report,
      InputStatistics statistics,
      INDArray weight,
      QuantizedWeight quantized) {
    report.statistics(statistics);
    if (statistics.gram().isPresent()) {
      QuadraticForm form = new QuadraticForm(statistics.gram().get());
      report.losses(form.loss(weight, quantized), form.energy(weight));
    }
  }

  @Override
  public void close() {
    // nothing is held: the statistics are borrowed
  }
}
