package io.shardpress.jobs.plan;

import io.shardpress.common.tensor.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One run, resolved against the headers of its checkpoint.
 *
 * @param family the model family, absent when unknown (then only data-free steps apply)
 * @param blocks number of transformer blocks; 0 for an unknown family
 * @param layers the linears to compress, in the order of the forward pass
 * @param copied every tensor that is published as it is
 * @param uncompressed modules that a reader would look for but that are left alone, with the reason
 * @param sourceBytes tensor data of the source
 * @param plannedBytes tensor data of the output
 * @param warnings what the user should know before paying for the run
 */
public record Plan(
    Optional<String> family,
    int blocks,
    List<LayerTask> layers,
    List<TensorSpec> copied,
    Map<String, String> uncompressed,
    long sourceBytes,
    long plannedBytes,
    List<String> warnings) {

  public Plan {
    layers = List.copyOf(layers);
    copied = List.copyOf(copied);
    uncompressed = Map.copyOf(uncompressed);
    warnings = List.copyOf(warnings);
  }

  /** Whether calibration data has to be run through the model. */
  public boolean needsStatistics() {
    return layers.stream().anyMatch(LayerTask::needsStatistics);
  }

  /** The shared inputs of one stage whose statistics are needed, sorted. */
  public Set<String> inputs(int stage) {
    return layers.stream()
        .filter(layer -> layer.stage() == stage && layer.needsStatistics())
        .map(LayerTask::input)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The layers of one stage. */
  public List<LayerTask> layers(int stage) {
    return layers.stream().filter(layer -> layer.stage() == stage).toList();
  }

  /** The largest predicted peak of any task, in bytes. */
  public long peakTaskBytes() {
    return layers.stream().mapToLong(LayerTask::peakBytes).max().orElse(0);
  }
}
