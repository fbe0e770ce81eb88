package io.shardpress.jobs.compress;

import io.shardpress.jobs.compress.LayerOutcome.Kind;
import io.shardpress.jobs.plan.RowSlice;
import io.shardpress.jobs.storage.PublishedFile;
import java.io.Serializable;
import java.util.List;

/**
 * The recorded end of a layer, or of a slice of its rows: what a task returns, and what the mark of
 * its work holds. Sums add over slices.
 *
 * @param module name of the linear
 * @param step the step's position in the recipe
 * @param rows which of its rows
 * @param why what led to anything but {@code COMPRESSED}; else empty
 * @param method the algorithm that made the result
 * @param damping relative damping used; NaN where the method has none
 * @param loss {@code tr(ΔGΔᵀ)}; NaN without statistics
 * @param energy {@code tr(WGWᵀ)}; NaN without statistics
 * @param weightError {@code ΣΔ²}
 * @param weightEnergy {@code ΣW²}
 * @param clipped weights that were clipped to the grid's range
 * @param zeros weights of the result that are exactly zero
 * @param tokens calibration tokens behind the result
 * @param seconds wall time of the solve
 * @param files the file in {@code layers/} that holds the encoded tensors; none when the weight
 *     stays as it is
 */
public record SolvedSlice(
    String module,
    int step,
    RowSlice rows,
    Kind kind,
    String why,
    String method,
    double damping,
    double loss,
    double energy,
    double weightError,
    double weightEnergy,
    long clipped,
    long zeros,
    long tokens,
    long deadInputs,
    double seconds,
    List<String> notes,
    List<PublishedFile> files)
    implements Serializable {

  public SolvedSlice {
    notes = List.copyOf(notes);
    files = List.copyOf(files);
  }

  /** Whether a compressed weight is stored. */
  boolean replacesWeight() {
    return !files.isEmpty();
  }

  /** Whether another attempt came to the same end: in all but the time it took and its file. */
  boolean agreesWith(SolvedSlice other) {
    return module.equals(other.module)
        && step == other.step
        && rows.equals(other.rows)
        && kind == other.kind
        && hashes().equals(other.hashes());
  }

  private List<String> hashes() {
    return files.stream().map(PublishedFile::sha256).toList();
  }
}
