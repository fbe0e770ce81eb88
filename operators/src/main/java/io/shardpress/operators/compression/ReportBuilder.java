package io.shardpress.operators.compression;

import io.shardpress.operators.linalg.Floats;
import io.shardpress.operators.statistics.InputStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Gathers a {@link LayerReport} while a solver works, and closes the result with it. */
final class ReportBuilder {
  private final String method;
  private final INDArray weight;
  private final List<String> notes = new ArrayList<>();
  private long tokens;
  private long deadInputs;
  private OptionalDouble damping = OptionalDouble.empty();
  private OptionalDouble loss = OptionalDouble.empty();
  private OptionalDouble energy = OptionalDouble.empty();
  private double weightError;
  private double weightEnergy;
  private long clipped;
  private long zeros;

  /** Starts the report of {@code method} on {@code weight [out, in]}, which is borrowed. */
  ReportBuilder(Algorithm method, INDArray weight) {
    this.method = method.key();
    this.weight = weight;
  }

  ReportBuilder statistics(InputStatistics statistics) {
    tokens = statistics.tokens();
    return this;
  }

  ReportBuilder deadInputs(long count) {
    deadInputs = count;
    return this;
  }

  ReportBuilder damping(double used) {
    damping = OptionalDouble.of(used);
    return this;
  }

  ReportBuilder losses(double layerLoss, double layerEnergy) {
    loss = OptionalDouble.of(layerLoss);
    energy = OptionalDouble.of(layerEnergy);
    return this;
  }

  ReportBuilder clipped(long count) {
    clipped = count;
    return this;
  }

  ReportBuilder notes(List<String> more) {
    notes.addAll(more);
    return this;
  }

  /** Ends a layer without a compressed weight. */
  LayerResult without(Outcome outcome) {
    return new LayerResult(outcome, report(), Optional.empty());
  }

  /** Ends a layer with one that lies so far from the dense weight. */
  LayerResult with(Outcome outcome, CompressedWeight compressed, WeightDistance distance) {
    return with(outcome, compressed, distance.error(), distance.energy());
  }

  /** Ends a layer with one whose {@code Σ Δ²} and {@code Σ W²} are known. */
  LayerResult with(
      Outcome outcome, CompressedWeight compressed, double squaredError, double squaredWeights) {
    weightError = squaredError;
    weightEnergy = squaredWeights;
    zeros = compressed.zeros();
    return new LayerResult(outcome, report(), Optional.of(compressed));
  }

  private LayerReport report() {
    return new LayerReport(
        method,
        Floats.rows(weight),
        Floats.columns(weight),
        tokens,
        deadInputs,
        damping,
        loss,
        energy,
        weightError,
        weightEnergy,
        clipped,
        zeros,
        notes);
  }
}
