package io.shardpress.operators.compression;

import io.shardpress.common.tensor.DType;
import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.linalg.Workers;
import io.shardpress.operators.statistics.Gram;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * SparseGPT on the linears that read one input: one factor, any number of weights or row slices.
 * Columns keep their natural order, in which n:m counts.
 */
final class SparseGptSolver implements Solver {
  private static final int STRIP = 32;

  private final SparseGpt settings;
  private final InputStatistics statistics;
  private final DampedFactor.Attempt attempt;

  private SparseGptSolver(
      SparseGpt settings, InputStatistics statistics, DampedFactor.Attempt attempt) {
    this.settings = settings;
    this.statistics = statistics;
    this.attempt = attempt;
  }

  static SparseGptSolver prepare(SparseGpt settings, InputStatistics statistics) {
    return new SparseGptSolver(
        settings,
        statistics,
        DampedFactor.climb(
            settings.ladder(), ColumnOrder.NATURAL, settings.groupSize(), statistics));
  }

  @Override
  public LayerResult compress(LinearWeight weight) {
    return weight.currentFloats(current -> compress(weight.module(), weight.type(), current));
  }

  private LayerResult compress(String module, DType type, INDArray weight) {
    DampedFactor.requireWidth(module, weight, statistics);
    settings.amount().check(Floats.columns(weight));
    settings.scheme().ifPresent(scheme -> scheme.check(module, Floats.columns(weight)));
    ReportBuilder report =
        new ReportBuilder(Algorithm.SPARSEGPT, weight)
            .statistics(statistics)
            .notes(attempt.notes());
    long nonFinite = WeightScan.nonFinite(weight);
    if (nonFinite > 0) {
      return report.without(WeightScan.outcome(settings.nonfinite(), module, nonFinite));
    }
    if (attempt.failure().isPresent()) {
      Outcome.Failed failure = attempt.failure().get();
      return report.without(
          new Outcome.Failed(
              failure.code(), "%s: %s, or prune it with wanda.".formatted(module, failure.why())));
    }
    DampedFactor factor = attempt.factor().orElseThrow();
    report.deadInputs(factor.deadInputs()).damping(factor.damping());
    return settings
        .scheme()
        .map(scheme -> quantize(module, weight, type, scheme, factor, report))
        .orElseGet(() -> prune(module, weight, type, factor, report));
  }

  private LayerResult prune(
      String module, INDArray weight, DType type, DampedFactor factor, ReportBuilder report) {
    int n = Floats.columns(weight);
    DenseWeight result = DenseWeight.zeros(type, Floats.rows(weight), n);
    double errors =
        new PanelFiller(weight, factor)
            .onPanels(
                panels -> {
                  Masks masks = masks(panels, factor);
                  List<SparseRule> rules = new ArrayList<>();
                  try {
                    masks.byPanel().forEach(mask -> rules.add(new SparseRule(mask, n)));
                    double sum = sweep(panels, rules, masks.block(), factor, n);
                    Workers.forEach(rules.size(), i -> rules.get(i).finish(panels.get(i), result));
                    return sum;
                  } finally {
                    rules.forEach(SparseRule::close);
                  }
                });
    return finish(module, weight, type, result, errors, factor, report);
  }

  private LayerResult quantize(
      String module,
      INDArray weight,
      DType type,
      Scheme scheme,
      DampedFactor factor,
      ReportBuilder report) {
    DType scaleType = QuantizedWeight.scaleType(type);
    int n = Floats.columns(weight);
    QuantizedWeight.Assembly result =
        new QuantizedWeight.Assembly(
            scheme, Floats.rows(weight), n, factor.layout().groupOfColumn());
    PanelGrids grids = new PanelGrids(weight, factor, ScaleSource.ORIGINAL, result);
    SweptRows rows =
        new PanelFiller(weight, factor)
            .onPanels(
                panels -> {
                  Masks masks = masks(panels, factor);
                  GridRule[] grid = new GridRule[panels.size()];
                  ColumnRule[] rules = new ColumnRule[panels.size()];
                  Workers.forEach(
                      rules.length,
                      i -> {
                        grid[i] = grids.rule(panels.get(i), settings.clip(), scaleType);
                        rules[i] = new MaskedGridRule(masks.byPanel().get(i), grid[i]);
                      });
                  double[][] errors =
                      ColumnSweep.run(
                          panels, List.of(rules), masks.block(), factor.upper(), cuts(n), run());
                  Workers.forEach(grid.length, i -> grid[i].finish(panels.get(i)));
                  return SweptRows.of(result, errors, List.of(grid));
                });
    report.clipped(rows.clippedWeights());
    if (!result.valuesFit(scaleType)) {
      return report.without(Outcome.Failed.scale(module, scaleType));
    }
    return finish(module, weight, type, result.finish(), rows.error(), factor, report);
  }

  private LayerResult finish(
      String module,
      INDArray weight,
      DType type,
      CompressedWeight result,
      double errors,
      DampedFactor factor,
      ReportBuilder report) {
    if (!Double.isFinite(errors)) {
      return report.without(
          new Outcome.Failed(
              Outcome.Code.NONFINITE_RESULT,
              "the sweep of %s left the range of F32. Raise damping, or prune it with wanda."
                  .formatted(module)));
    }
    WeightDistance distance = WeightDistance.between(weight, result);
    if (!Double.isFinite(distance.error())) {
      return report.without(
          new Outcome.Failed(
              Outcome.Code.NONFINITE_RESULT,
              "%s: what makes up for pruned weights does not fit %s. Raise damping, or prune it with wanda."
                  .formatted(module, type)));
    }
    SweepLoss loss = new SweepLoss(statistics, factor, settings.blockSize());
    report.losses(
        loss.undamped(errors, distance.byColumn()), loss.energy(weight, distance.energyByColumn()));
    return report.with(factor.outcome(settings.ladder()), result, distance);
  }

  private double sweep(
      List<Panel> panels,
      List<SparseRule> rules,
      BlockRule block,
      DampedFactor factor,
      int columns) {
    double[][] errors = ColumnSweep.run(panels, rules, block, factor.upper(), cuts(columns), run());
    double sum = 0;
    for (double[] panel : errors) {
      for (double row : panel) {
        sum += row;
      }
    }
    return sum;
  }

  private int[] cuts(int columns) {
    return ColumnSweep.blocks(columns, Math.max(settings.blockSize(), run()), run());
  }

  /**
   * Columns that neither a strip nor a block must part: whole groups of a pattern, as many as both
   * hold, and at least one.
   */
  private int run() {
    int most = Math.min(STRIP, settings.blockSize());
    return settings.amount() instanceof Pattern pattern
        ? Math.max(1, most / pattern.of()) * pattern.of()
        : 0;
  }

  /**
   * @param byPanel the mask of each panel
   * @param block what makes them when a block begins
   */
  private record Masks(List<Mask> byPanel, BlockRule block) {}

  private Masks masks(List<Panel> panels, DampedFactor factor) {
    ZeroMask[] zeros = new ZeroMask[panels.size()];
    Workers.forEach(zeros.length, i -> zeros[i] = ZeroMask.of(panels.get(i)));
    List<Optional<ZeroMask>> earlier =
        IntStream.range(0, zeros.length)
            .mapToObj(i -> Optional.of(zeros[i]).filter(mask -> !mask.isEmpty()))
            .toList();
    if (settings.amount() instanceof Pattern pattern) {
      float[] pivots = Gram.diagonalOf(factor.upper().matrix());
      return new Masks(
          earlier.stream().<Mask>map(mask -> new PatternMask(pattern, pivots, mask)).toList(),
          BlockRule.NONE);
    }
    int widest = Math.min(settings.blockSize(), statistics.width());
    BlockMask block = new BlockMask(settings.amount().share(), earlier, widest);
    return new Masks(panels.stream().map(block::of).toList(), block);
  }

  @Override
  public void close() {
    attempt.factor().ifPresent(DampedFactor::close);
  }
}
