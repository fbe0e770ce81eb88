package io.shardpress.jobs.run;

import io.shardpress.common.storage.Location;
import io.shardpress.common.storage.SafeFileName;
import java.io.Serializable;
import java.util.UUID;

/**
 * Where a run keeps what is not published: {@code <output>/_staging/<run id>/…}. Everything below
 * it may be deleted when the run has ended.
 *
 * @param root the run's own folder
 */
public record Workspace(Location root) implements Serializable {
  /** The folder of all runs' workspaces beside a published checkpoint. */
  public static final String STAGING = "_staging";

  /** A fresh workspace beside {@code output}. */
  public static Workspace beside(Location output, UUID run) {
    return new Workspace(output.child(STAGING).child(run.toString()));
  }

  /** Token chunks of calibration and evaluation data. */
  public Location tokens() {
    return root.child("tokens");
  }

  /** The inputs of one stage (a block, or the head) for one chunk of sequences. */
  public Location activations(int stage, int chunk) {
    return activations(stage).child("chunk-%05d.arrow".formatted(chunk));
  }

  public Location activations(int stage) {
    return root.child("activations").child("stage-%04d".formatted(stage));
  }

  /** Partial sums of one chunk over the inputs of one stage. */
  public Location partials(int stage, int chunk) {
    return partials().child("stage-%04d-chunk-%05d.safetensors".formatted(stage, chunk));
  }

  public Location partials() {
    return root.child("partials");
  }

  /** Folded statistics of one input. */
  public Location statistics(String input) {
    return root.child("statistics").child(SafeFileName.encode(input) + ".safetensors");
  }

  /** The compressed tensors of one linear. */
  public Location layer(String module) {
    return root.child("layers").child(SafeFileName.encode(module) + ".safetensors");
  }
}
