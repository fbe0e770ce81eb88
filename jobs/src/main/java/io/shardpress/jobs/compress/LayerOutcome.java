package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.Encoder;
import java.io.Serializable;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The recorded end of one layer; about a kilobyte, and all that the driver learns of it.
 *
 * @param module name of the linear
 * @param kind {@code COMPRESSED}, {@code COMPRESSED_WITH_RECOVERY}, {@code COPIED}, {@code
 *     FELL_BACK} or {@code FAILED}
 * @param why what led to anything but {@code COMPRESSED}; else empty
 * @param method the algorithm that made the result
 * @param scheme what the result is stored as
 * @param relativeLoss {@code tr(ΔGΔᵀ) / tr(WGWᵀ)}; NaN without statistics
 * @param weightNmse {@code ΣΔ² / ΣW²}
 * @param damping relative damping used; NaN where the method has none
 * @param deadInputs input channels that no token excited
 * @param clippedShare share of weights that were clipped to the grid's range
 * @param tokens calibration tokens behind the result
 * @param seconds wall time of the solve, summed over slices
 * @param tensors the tensors that replace the layer's weight; empty when it stays
 * @param files the workspace's files that hold them, each some rows
 * @param notes steps of a recovery, rank warnings, under-sampling
 */
public record LayerOutcome(
    String module,
    Kind kind,
    String why,
    String method,
    Scheme scheme,
    long out,
    long in,
    double relativeLoss,
    double weightNmse,
    double damping,
    long deadInputs,
    double clippedShare,
    long tokens,
    double seconds,
    List<TensorSpec> tensors,
    List<Part> files,
    List<String> notes)
    implements Serializable {

  /** How a layer ended. */
  public enum Kind {
    COMPRESSED,
    COMPRESSED_WITH_RECOVERY,
    COPIED,
    FELL_BACK,
    FAILED
  }

  public LayerOutcome {
    tensors = List.copyOf(tensors);
    files = List.copyOf(files);
    notes = List.copyOf(notes);
  }

  /** The encoded tensors of some rows. */
  public record Part(RowSlice rows, PublishedFile file) implements Serializable {}

  /**
   * The outcome of a layer whose slices are these. The first slice that leaves its weight as it is
   * decides for the whole; else one that fell back is named.
   *
   * @param slices all of them, in row order
   */
  static LayerOutcome of(LayerTask layer, List<SolvedSlice> slices, Encoder encoder) {
    SolvedSlice decides =
        slices.stream()
            .filter(slice -> !slice.replacesWeight())
            .findFirst()
            .or(() -> slices.stream().filter(slice -> slice.kind() == Kind.FELL_BACK).findFirst())
            .orElse(slices.get(0));
    boolean replaces = decides.replacesWeight();
    return new LayerOutcome(
        layer.module(),
        decides.kind(),
        decides.why(),
        decides.method(),
        layer.scheme(),
        layer.out(),
        layer.in(),
        ratio(slices, SolvedSlice::loss, SolvedSlice::energy),
        ratio(slices, SolvedSlice::weightError, SolvedSlice::weightEnergy),
        decides.damping(),
        decides.deadInputs(),
        sum(slices, SolvedSlice::clipped) / ((double) layer.out() * layer.in()),
        decides.tokens(),
        sum(slices, SolvedSlice::seconds),
        replaces ? encoder.plan(layer.stored(), layer.scheme()) : List.of(),
        replaces ? slices.stream().map(LayerOutcome::part).toList() : List.of(),
        slices.stream().flatMap(slice -> slice.notes().stream()).distinct().toList());
  }

  private static Part part(SolvedSlice slice) {
    return new Part(slice.rows(), slice.files().get(0));
  }

  private static double ratio(
      List<SolvedSlice> slices,
      ToDoubleFunction<SolvedSlice> part,
      ToDoubleFunction<SolvedSlice> whole) {
    double sum = sum(slices, part);
    return sum == 0 ? 0 : sum / sum(slices, whole);
  }

  private static double sum(List<SolvedSlice> slices, ToDoubleFunction<SolvedSlice> value) {
    return slices.stream().mapToDouble(value).sum();
  }

  /** Whether a compressed weight is stored for the layer. */
  public boolean replacesWeight() {
    return !tensors.isEmpty();
  }
}
