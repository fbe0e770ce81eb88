package io.shardpress.operators.quantization;

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

  /** Ends a layer with one, and measures it against the dense weight. */
  LayerResult with(Outcome outcome, QuantizedWeight quantized) {
    int in = quantized.in();
    float[] dense = new float[in];
    float[] rounded = new float[in];
    float[] zeros = new float[in];
    for (int i = 0; i < quantized.out(); i++) {
      Floats.readRow(weight, i, dense);
      quantized.dequantizeRow(i, rounded);
      weightError += squaredDistance(dense, rounded);
      weightEnergy += squaredDistance(dense, zeros);
    }
    return with(outcome, quantized, weightError, weightEnergy);
  }

  /** Ends a layer with one whose {@code Σ Δ²} and {@code Σ W²} are known. */
  LayerResult with(
      Outcome outcome, QuantizedWeight quantized, double squaredError, double squaredWeights) {
    weightError = squaredError;
    weightEnergy = squaredWeights;
    return new LayerResult(outcome, report(), Optional.of(quantized));
  }

  /** {@code Σ (a − b)²}, in two running sums. */
  static double squaredDistance(float[] a, float[] b) {
    double even = 0;
    double odd = 0;
    int j = 0;
    for (; j + 1 < a.length; j += 2) {
      double first = (double) a[j] - b[j];
      double second = (double) a[j + 1] - b[j + 1];
      even += first * first;
      odd += second * second;
    }
    if (j < a.length) {
      double last = (double) a[j] - b[j];
      even += last * last;
    }
    return even + odd;
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
        notes);
  }
}
