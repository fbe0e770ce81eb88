package io.shardpress.jobs.compress;

import io.shardpress.common.tensor.TensorSpec;
import io.shardpress.operators.quantization.Scheme;
import java.io.Serializable;
import java.util.List;

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
 * @param seconds wall time of the solve, a share of the task's for layers solved together
 * @param tensors the tensors that replace the layer's weight; empty when it stays
 * @param sha256 of the layer's file; empty when there is none
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
    String sha256,
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
    notes = List.copyOf(notes);
  }

  /** The same outcome as a fallback, for {@code reason}; a failure or a copy stays one. */
  LayerOutcome fallenBack(String reason) {
    return !replacesWeight()
        ? this
        : new LayerOutcome(
            module,
            Kind.FELL_BACK,
            reason,
            method,
            scheme,
            out,
            in,
            relativeLoss,
            weightNmse,
            damping,
            deadInputs,
            clippedShare,
            tokens,
            seconds,
            tensors,
            sha256,
            notes);
  }

  /** Whether a compressed weight is stored for the layer. */
  public boolean replacesWeight() {
    return !tensors.isEmpty();
  }
}
