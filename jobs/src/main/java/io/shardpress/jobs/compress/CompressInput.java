package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.RawTensor;
import io.shardpress.jobs.model.ModelRef;
import io.shardpress.jobs.model.OpenModel;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.run.Workspace;
import io.shardpress.jobs.spark.Work;
import io.shardpress.jobs.storage.StatisticsFiles;
import io.shardpress.jobs.storage.TensorFiles;
import io.shardpress.operators.encoding.Encoder;
import io.shardpress.operators.quantization.LayerResult;
import io.shardpress.operators.quantization.Settings;
import io.shardpress.operators.quantization.Solver;
import io.shardpress.operators.statistics.InputStatistics;
import io.shardpress.operators.statistics.StoredStatistics;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compresses the linears that read one input with the same settings: the statistics are prepared
 * (the Gram factored) once for all of them.
 *
 * @param layers linears of one input and equal settings
 * @param hasStatistics whether folded statistics of the input were stored
 */
record CompressInput(
    ModelRef model,
    Workspace workspace,
    Encoder encoder,
    List<LayerTask> layers,
    boolean hasStatistics)
    implements Work<ArrayList<LayerOutcome>> {

  @Override
  public ArrayList<LayerOutcome> run() {
    OpenModel open = model.open();
    ArrayList<LayerOutcome> outcomes = new ArrayList<>();
    long start = System.nanoTime();
    Optional<InputStatistics> statistics = statistics();
    try (Solver solver = settings().prepare(statistics)) {
      for (LayerTask layer : layers) {
        outcomes.add(compress(open, layer, solver, start));
        start = System.nanoTime();
      }
    } finally {
      statistics.ifPresent(InputStatistics::close);
    }
    return outcomes;
  }

  double cost() {
    return layers.stream().mapToDouble(LayerTask::cost).sum();
  }

  /** Whether statistics are asked for that no token gave: only starved experts come to this. */
  private boolean starved() {
    return layers.get(0).needsStatistics() && !hasStatistics;
  }

  private Settings settings() {
    Settings asked = layers.get(0).steps().get(0);
    return starved() ? asked.withoutStatistics() : asked;
  }

  private Optional<InputStatistics> statistics() {
    if (!hasStatistics || !layers.get(0).needsStatistics()) {
      return Optional.empty();
    }
    String input = layers.get(0).input();
    return Optional.of(
        StoredStatistics.read(
            input,
            StatisticsFiles.sources(
                model.store(),
                workspace.statistics(input).parent(),
                input,
                Math.toIntExact(layers.get(0).in()))));
  }

  private LayerOutcome compress(OpenModel open, LayerTask layer, Solver solver, long start) {
    LayerResult result;
    try (INDArray weight = open.denseWeight(layer.weight().name(), layer.layout())) {
      result = solver.compress(layer.module(), weight, layer.weight().dtype());
    }
    List<RawTensor> tensors =
        result.weight().map(weight -> encoder.encode(layer.stored(), weight)).orElse(List.of());
    String sha256 =
        tensors.isEmpty()
            ? ""
            : TensorFiles.write(model.store(), workspace.layer(layer.module()), tensors);
    double seconds = (System.nanoTime() - start) / 1e9;
    LayerOutcome outcome = Outcomes.of(layer, result, tensors, sha256, seconds);
    return starved()
        ? outcome.fallenBack("too few calibration tokens reached this expert")
        : outcome;
  }
}
