package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.jobs.plan.LayerTask;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.plan.StepTask;
import io.shardpress.jobs.storage.PublishedFile;
import io.shardpress.operators.compression.Scheme;
import io.shardpress.operators.encoding.Encoder;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The recorded end of one layer; about a kilobyte, and all that the driver learns of it.
 *
 * @param module name of the linear
 * @param kind {@code COMPRESSED}, {@code COMPRESSED_WITH_RECOVERY}, {@code COPIED}, {@code
 *     FELL_BACK} or {@code FAILED}
 * @param why what led to anything but {@code COMPRESSED}; else empty
 * @param method the algorithm of the last step
 * @param scheme what the result is stored as; absent where it is numbers of the weight's type
 * @param relativeLoss {@code tr(ΔGΔᵀ) / tr(WGWᵀ)}, Δ from the weight in the checkpoint and G of the
 *     last step; NaN without statistics
 * @param weightNmse {@code ΣΔ² / ΣW²}
 * @param damping relative damping used; NaN where the method has none
 * @param deadInputs input channels that no token excited
 * @param clippedShare share of weights that were clipped to the grid's range
 * @param sparsity share of weights that are exactly zero
 * @param tokens calibration tokens behind the result
 * @param seconds wall time of the solve, summed over slices and steps
 * @param tensors the tensors that replace the layer's weight; empty when it stays
 * @param files the workspace's files that hold them, each some rows
 * @param notes steps of a recovery, rank warnings, under-sampling
 * @param earlier what the steps before the last one came to, in order
 */
public record LayerOutcome(
    String module,
    Kind kind,
    String why,
    String method,
    Optional<Scheme> scheme,
    long out,
    long in,
    double relativeLoss,
    double weightNmse,
    double damping,
    long deadInputs,
    double clippedShare,
    double sparsity,
    long tokens,
    double seconds,
    List<TensorSpec> tensors,
    List<Part> files,
    List<String> notes,
    List<StepEnd> earlier) {

  /** How a layer ended, the worst last: it stands for the steps together. */
  public enum Kind {
    COMPRESSED,
    COMPRESSED_WITH_RECOVERY,
    COPIED,
    FELL_BACK,
    FAILED
  }

  /** What one of several steps came to; figures as of the layer's end. */
  public record StepEnd(
      String method,
      Kind kind,
      double relativeLoss,
      double weightNmse,
      double sparsity,
      double seconds) {}

  public LayerOutcome {
    tensors = List.copyOf(tensors);
    files = List.copyOf(files);
    notes = List.copyOf(notes);
    earlier = List.copyOf(earlier);
  }

  /** The encoded tensors of some rows. */
  public record Part(RowSlice rows, PublishedFile file) implements Serializable {}

  /**
   * The outcome of a step whose slices are these. The first slice that leaves its weight as it is
   * decides for the whole; else one that fell back is named.
   *
   * @param slices all of them, in row order
   * @param output what writes published tensors
   * @param before how the step before ended, of one that is not the first
   */
  static LayerOutcome of(
      StepTask task, List<SolvedSlice> slices, Encoder output, Optional<LayerOutcome> before) {
    LayerTask layer = task.layer();
    SolvedSlice decides =
        slices.stream()
            .filter(slice -> !slice.replacesWeight())
            .findFirst()
            .or(() -> slices.stream().filter(slice -> slice.kind() == Kind.FELL_BACK).findFirst())
            .orElse(slices.get(0));
    boolean replaces = decides.replacesWeight();
    double weights = (double) layer.out() * layer.in();
    LayerOutcome end =
        new LayerOutcome(
            layer.module(),
            decides.kind(),
            decides.why(),
            decides.method(),
            task.storage() instanceof Scheme scheme ? Optional.of(scheme) : Optional.empty(),
            layer.out(),
            layer.in(),
            ratio(slices, SolvedSlice::loss, SolvedSlice::energy),
            ratio(slices, SolvedSlice::weightError, SolvedSlice::weightEnergy),
            decides.damping(),
            decides.deadInputs(),
            sum(slices, SolvedSlice::clipped) / weights,
            sum(slices, SolvedSlice::zeros) / weights,
            decides.tokens(),
            sum(slices, SolvedSlice::seconds),
            replaces ? task.encoder(output).plan(layer.stored(), task.storage()) : List.of(),
            replaces ? slices.stream().map(LayerOutcome::part).toList() : List.of(),
            slices.stream().flatMap(slice -> slice.notes().stream()).distinct().toList(),
            List.of());
    return before.map(end::behind).orElse(end);
  }

  /** This end of a layer, whose steps before came to {@code other}. */
  private LayerOutcome behind(LayerOutcome other) {
    boolean otherDecides = other.kind.compareTo(kind) > 0;
    List<StepEnd> ends = new ArrayList<>(other.earlier);
    ends.add(
        new StepEnd(
            other.method,
            other.kind,
            other.relativeLoss,
            other.weightNmse,
            other.sparsity,
            other.seconds - other.earlier.stream().mapToDouble(StepEnd::seconds).sum()));
    return new LayerOutcome(
        module,
        otherDecides ? other.kind : kind,
        otherDecides ? "%s: %s".formatted(other.method, other.why) : why,
        method,
        scheme,
        out,
        in,
        relativeLoss,
        weightNmse,
        damping,
        deadInputs,
        clippedShare,
        sparsity,
        tokens,
        seconds + other.seconds,
        tensors,
        files,
        Stream.concat(other.notes.stream(), notes.stream()).distinct().toList(),
        ends);
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

  /** Steps that were made, the last included. */
  int steps() {
    return earlier.size() + 1;
  }

  /** Whether a compressed weight is stored for the layer. */
  public boolean replacesWeight() {
    return !tensors.isEmpty();
  }
}
