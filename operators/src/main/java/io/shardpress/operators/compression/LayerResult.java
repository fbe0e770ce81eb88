package io.shardpress.operators.compression;

import io.shardpress.operators.statistics.InputStatistics;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a solver returns for one linear.
 *
 * @param weight present exactly when the outcome {@linkplain Outcome#hasWeight has one}
 */
public record LayerResult(Outcome outcome, LayerReport report, Optional<CompressedWeight> weight) {
  public LayerResult {
    if (outcome.hasWeight() != weight.isPresent()) {
      throw new IllegalArgumentException(
          "Outcome %s %s a weight"
              .formatted(outcome, outcome.hasWeight() ? "without" : "together with"));
    }
  }

  /** The codes of a result that is known to have some. */
  public QuantizedWeight quantized() {
    return weight
        .filter(QuantizedWeight.class::isInstance)
        .map(QuantizedWeight.class::cast)
        .orElseThrow(
            () -> new IllegalStateException("There are no codes: the layer ended as " + outcome));
  }

  /**
   * The same result with its errors measured against the weight in the checkpoint, where the step
   * saw what others had left of it.
   *
   * @param dense F32 or BF16 {@code [out, in]}, borrowed
   */
  public LayerResult against(INDArray dense, Optional<InputStatistics> statistics) {
    return weight
        .map(found -> new LayerResult(outcome, report.against(dense, found, statistics), weight))
        .orElse(this);
  }

  /**
   * The result of a layer that was solved in slices of rows. The first slice without a weight
   * decides for the whole; else a slice that fell back is named.
   *
   * @param slices in row order, all made by one solver
   */
  public static LayerResult stack(List<LayerResult> slices) {
    LayerReport report = LayerReport.stack(slices.stream().map(LayerResult::report).toList());
    Outcome outcome =
        slices.stream()
            .map(LayerResult::outcome)
            .filter(slice -> !slice.hasWeight())
            .findFirst()
            .orElseGet(() -> common(slices));
    Optional<CompressedWeight> weight =
        outcome.hasWeight()
            ? Optional.of(
                QuantizedWeight.stack(slices.stream().map(LayerResult::quantized).toList()))
            : Optional.empty();
    return new LayerResult(outcome, report, weight);
  }

  /** This result, marked as the second choice for a layer that its own method could not solve. */
  LayerResult fellBack(String method, String why, List<String> notes) {
    return outcome.hasWeight()
        ? new LayerResult(new Outcome.FellBack(method, why), report.withNotes(notes), weight)
        : this;
  }

  private static Outcome common(List<LayerResult> slices) {
    return slices.stream()
        .map(LayerResult::outcome)
        .filter(Outcome.FellBack.class::isInstance)
        .findFirst()
        .orElse(slices.get(0).outcome());
  }
}
