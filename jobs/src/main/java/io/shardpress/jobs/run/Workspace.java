package io.shardpress.jobs.run;

import io.shardpress.common.storage.Location;
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

  /** An attempt's file of the hidden states that arrive at a stage, for one chunk of sequences. */
  public Location activations(int stage, int chunk, UUID attempt) {
    return activations(stage).child("chunk-%05d.%s.arrow".formatted(chunk, attempt));
  }

  public Location activations(int stage) {
    return root.child("activations").child("stage-%04d".formatted(stage));
  }

  /** An attempt's file of the partial sums of one chunk over the inputs of one stage. */
  public Location partials(int stage, int chunk, UUID attempt) {
    return partials()
        .child("stage-%04d-chunk-%05d.%s.safetensors".formatted(stage, chunk, attempt));
  }

  public Location partials() {
    return root.child("partials");
  }

  /** Statistics that are kept for this run alone. */
  public Location statistics() {
    return root.child("statistics");
  }

  /** Published files until they are whole, where they can be moved then. */
  public Location shards() {
    return root.child("shards");
  }

  /** The compressed tensors of linears, in files that their marks name. */
  public Location layers() {
    return root.child("layers");
  }

  /** Marks of solved layers, each written when its files are whole. */
  public Location marks() {
    return root.child("marks");
  }
}
