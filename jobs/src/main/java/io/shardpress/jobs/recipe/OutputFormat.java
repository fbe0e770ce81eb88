package io.shardpress.jobs.recipe;

import io.shardpress.operators.encoding.CompressedTensors;
import io.shardpress.operators.encoding.DequantizedWeights;
import io.shardpress.operators.encoding.Encoder;

/** What the published checkpoint looks like. */
public enum OutputFormat {
  /** Codes and scales that runtimes load directly. */
  COMPRESSED_TENSORS,
  /** The dequantized weights as a plain checkpoint in the source's type. */
  DENSE;

  public Encoder encoder() {
    return switch (this) {
      case COMPRESSED_TENSORS -> new CompressedTensors();
      case DENSE -> new DequantizedWeights();
    };
  }
}
