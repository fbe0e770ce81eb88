package io.shardpress.operators.compression;

import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What happened to one layer, or to a slice of its rows, in sums that add over rows.
 *
 * @param method the algorithm that made the result, e.g. {@code gptq}
 * @param tokens calibration tokens behind the statistics; 0 for data-free methods
 * @param deadInputs input channels that no token excited; their weights were zeroed
 * @param damping relative damping used, where the method damps
 * @param loss {@code tr(Δ G Δᵀ)} with {@code Δ = W − Q} and the undamped Gram, where there is one
 * @param energy {@code tr(W G Wᵀ)}, where there is a Gram
 * @param weightError {@code Σ Δ²} against the dense weight
 * @param weightEnergy {@code Σ W²}
 * @param clipped weights that lay more than one step outside the grid when they were rounded
 * @param zeros weights of the result that are exactly zero
 * @param notes what a reader should know: each step of a recovery, a rank-deficient Gram
 */
public record LayerReport(
    String method,
    long out,
    long in,
    long tokens,
    long deadInputs,
    OptionalDouble damping,
    OptionalDouble loss,
    OptionalDouble energy,
    double weightError,
    double weightEnergy,
    long clipped,
    long zeros,
    List<String> notes) {

  public LayerReport {
    notes = List.copyOf(notes);
  }

  /** Loss over energy; 0 for a layer whose outputs are all zero. */
  public OptionalDouble relativeLoss() {
    if (loss.isEmpty() || energy.isEmpty()) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(ratio(loss.getAsDouble(), energy.getAsDouble()));
  }

  /** {@code Σ Δ² / Σ W²}. */
  public double weightNmse() {
    return ratio(weightError, weightEnergy);
  }

  /** Share of weights that were clipped. */
  public double clippedShare() {
    return ratio((double) clipped, (double) out * in);
  }

  /** Share of weights that are exactly zero. */
  public double sparsity() {
    return ratio((double) zeros, (double) out * in);
  }

  /** The same with the errors of {@code compressed} against {@code dense}. */
  LayerReport against(
      INDArray dense, CompressedWeight compressed, Optional<InputStatistics> statistics) {
    WeightDistance distance = WeightDistance.between(dense, compressed);
    Optional<QuadraticForm> form =
        statistics.flatMap(InputStatistics::gram).map(QuadraticForm::new);
    return new LayerReport(
        method,
        out,
        in,
        tokens,
        deadInputs,
        damping,
        form.map(f -> OptionalDouble.of(f.loss(dense, compressed))).orElse(loss),
        form.map(f -> OptionalDouble.of(f.energy(dense))).orElse(energy),
        distance.error(),
        distance.energy(),
        clipped,
        zeros,
        notes);
  }

  /** The same without what statistics have told. */
  LayerReport withoutStatistics() {
    return new LayerReport(
        method,
        out,
        in,
        0,
        0,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        weightError,
        weightEnergy,
        clipped,
        zeros,
        notes);
  }

  LayerReport withNotes(List<String> more) {
    List<String> all = new ArrayList<>(more);
    all.addAll(notes);
    return new LayerReport(
        method,
        out,
        in,
        tokens,
        deadInputs,
        damping,
        loss,
        energy,
        weightError,
        weightEnergy,
        clipped,
        zeros,
        all);
  }

  /** The report of a layer whose slices of rows have {@code parts}, in row order. */
  static LayerReport stack(List<LayerReport> parts) {
    LayerReport first = parts.get(0);
    Set<String> notes = new LinkedHashSet<>();
    parts.forEach(part -> notes.addAll(part.notes));
    return new LayerReport(
        first.method,
        parts.stream().mapToLong(LayerReport::out).sum(),
        first.in,
        first.tokens,
        first.deadInputs,
        first.damping,
        sum(parts.stream().map(LayerReport::loss).toList()),
        sum(parts.stream().map(LayerReport::energy).toList()),
        parts.stream().mapToDouble(LayerReport::weightError).sum(),
        parts.stream().mapToDouble(LayerReport::weightEnergy).sum(),
        parts.stream().mapToLong(LayerReport::clipped).sum(),
        parts.stream().mapToLong(LayerReport::zeros).sum(),
        new ArrayList<>(notes));
  }

  private static OptionalDouble sum(List<OptionalDouble> parts) {
    return parts.stream().allMatch(OptionalDouble::isPresent)
        ? OptionalDouble.of(parts.stream().mapToDouble(OptionalDouble::getAsDouble).sum())
        : OptionalDouble.empty();
  }

  private static double ratio(double part, double whole) {
    return part == 0 ? 0 : part / whole;
  }
}
